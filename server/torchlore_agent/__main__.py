# This file alone must still parse under Python 2.7 and old Python 3, so that they can say what they are:
# hence no annotations, no f-strings, no pathlib, no `from __future__ import annotations`.
"""Starts the agent or, with the argument `child`, the process that runs one snippet."""

import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))

# Python puts this directory first on the path when it runs a directory. Our module names must not shadow the
# user's.
sys.path[:] = [entry for entry in sys.path if entry and os.path.abspath(entry) != HERE]

if sys.version_info < (3, 9):  # noqa: UP036
    version = ".".join(str(part) for part in sys.version_info[:3])
    sys.stdout.write(json.dumps({"type": "hello", "protocol": 0, "python": version}) + "\n")
    sys.stdout.flush()
    sys.exit(0)

import importlib.util  # noqa: E402

# The package is loaded from its place, because its parent directory may be another environment's
# site-packages.
spec = importlib.util.spec_from_file_location(
    "torchlore_agent",
    os.path.join(HERE, "__init__.py"),
    submodule_search_locations=[HERE],
)
assert spec is not None and spec.loader is not None
package = importlib.util.module_from_spec(spec)
sys.modules["torchlore_agent"] = package
spec.loader.exec_module(package)

if sys.argv[1:2] == ["child"]:
    from torchlore_agent.child import main as run_child

    run_child(json.loads(sys.argv[2]))
elif sys.argv[1:2] == ["nursery"]:
    from torchlore_agent.child import main as run_child
    from torchlore_agent.nursery import serve

    order = serve(int(sys.argv[2]), int(sys.argv[3]))
    if order is not None:
        run_child(order)
elif sys.argv[1:2] == ["spare"]:
    from torchlore_agent.child import main as run_child
    from torchlore_agent.spare import await_order

    run_child(await_order(sys.argv[2], int(sys.argv[3])))
elif sys.argv[1:2] == ["rank"]:
    from torchlore_agent.ranks import run_rank

    run_rank(json.loads(sys.argv[2]))
else:
    from torchlore_agent.agent import main as run_agent

    run_agent()
