"""asyncio without TLS, which no editor speaks to its server: to import it takes a twentieth of the time until
the server answers.

asyncio does without `ssl` where Python was built so. Whoever imports `ssl` later gets it.
"""

from __future__ import annotations

import sys

_IS_OURS = "asyncio" not in sys.modules and "ssl" not in sys.modules
if _IS_OURS:
    sys.modules["ssl"] = None  # type: ignore[assignment]  # what Python has for a module that is not there
import asyncio  # noqa: E402

if _IS_OURS:
    del sys.modules["ssl"]

__all__ = ["asyncio"]
