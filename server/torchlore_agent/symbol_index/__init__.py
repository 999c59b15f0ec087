"""Describes every public name of the torch that is installed beside the interpreter that runs it.

Run as `python path/to/symbol_index OUTPUT.json`. Standard library and torch only, since it runs in the
user's interpreter; `torchlore.knowledge.build_index` starts it and finishes what it writes.
"""
