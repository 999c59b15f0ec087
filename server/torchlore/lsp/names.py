"""Names that the protocol carries: of commands and of kinds of code actions."""

from lsprotocol import types

ASK = "torchlore.ask"
DEBUG = "torchlore.debugInformation"
"""Not `printDebugInformation`, which the extension has: VS Code takes no command of one name twice."""

ENVIRONMENT = "torchlore.environment"
EXPLAIN = "torchlore.explain"
INSERT = "torchlore.insert"
RUN = "torchlore.run"
SHAPES = "torchlore.shapes"
FIT = "torchlore.fit"
PROVE = "torchlore.prove"
STOP = "torchlore.stop"

QUICK_FIX = types.CodeActionKind.QuickFix.value
FIX_ALL_KIND = "source.fixAll.torchlore"
INSERT_KIND = "refactor.insert.torchlore"
EXPLAIN_KIND = "torchlore.explain"
RUN_KIND = "torchlore.run"
CODE_ACTION_KINDS = (QUICK_FIX, FIX_ALL_KIND, INSERT_KIND, EXPLAIN_KIND, RUN_KIND)
