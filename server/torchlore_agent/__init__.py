"""What runs inside the user's interpreter: standard library only, nothing of torchlore.

`python -E -B <this directory>` is the agent: it stays beside the user's torch, speaks JSON lines over its own
pipe and watches over what it starts. `… child <order>` is the process that runs one snippet; `… nursery
<socket> <agent>` has torch imported and forks such processes; where none can be forked, `… spare <token>
<agent>` has it imported and becomes one itself. It keeps to Python 3.9, the oldest that a supported torch
runs on.
"""

PROTOCOL = 3
"""Raised whenever a message changes its meaning. The server refuses an agent of another version."""
