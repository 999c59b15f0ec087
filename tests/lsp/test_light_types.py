"""The types of the protocol are the same whether they are finished on import or on use."""

from __future__ import annotations

import subprocess
import sys

_DESCRIBED = """
import re
import attrs
from lsprotocol import types
from pygls.protocol import default_converter
default_converter()
for name, kind in sorted(types.ALL_TYPES_MAP.items()):
    if isinstance(kind, type) and attrs.has(kind):
        fields = [(a.name, str(a.type), repr(a.default), str(a.validator)) for a in attrs.fields(kind)]
        print(name, re.sub(" at 0x[0-9a-f]+", "", str(fields)))
"""

_LIGHT = "from torchlore.lsp import light_types; light_types.load()\n"

_USED = """
import threading
from lsprotocol import types
from torchlore.lsp.light_types import _first_init
from torchlore.lsp.protocol import tolerant_converter

def unfinished():
    kinds = [k for k in types.ALL_TYPES_MAP.values() if isinstance(k, type)]
    return sum(k.__init__ is _first_init for k in kinds)

converter = tolerant_converter()
before = unfinished()
raw = {"textDocument": {"uri": "file:///a.py"}, "position": {"line": 1, "character": 2}}
params = converter.structure(raw, types.HoverParams)
assert params.position == types.Position(1, 2) < types.Position(1, 3)
assert converter.unstructure(params) == raw
assert repr(types.Range(types.Position(0, 0), types.Position(0, 1))) == "0:0-0:1"
try:
    types.Position(-1, 0)
except ValueError:
    print("validated")
try:
    types.TextEdit()
except TypeError as error:
    print(error)
print(before > 500, before - unfinished() < 20)

failed = []
def make(barrier, kind):
    barrier.wait()
    try:
        kind(*[None] * 0)
    except TypeError as error:
        if "required" not in str(error):
            failed.append((kind, error))
    except Exception as error:
        failed.append((kind, error))
for kind in [k for k in types.ALL_TYPES_MAP.values() if isinstance(k, type) and k.__init__ is _first_init]:
    barrier = threading.Barrier(3)
    threads = [threading.Thread(target=make, args=(barrier, kind)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print(failed, unfinished())
"""


def _said(program: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_every_class_has_the_same_fields() -> None:
    plain, light = _said(_DESCRIBED), _said(_LIGHT + _DESCRIBED)
    assert light == plain
    assert len(plain) > 500


def test_classes_are_finished_on_use_and_no_others() -> None:
    assert _said(_LIGHT + _USED) == [
        "validated",
        "TextEdit.__init__() missing 2 required positional arguments: 'range' and 'new_text'",
        "True True",
        "[] 0",
    ]
