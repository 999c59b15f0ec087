"""Start the server that comes with the extension.

Runs isolated (`python -I`), so that nothing of the user's environment or workspace is imported before it.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "bundled" / "libs"))

from torchlore.lsp.start import serve_stdio

sys.exit(serve_stdio())
