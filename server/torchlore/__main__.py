"""`torchlore` and `python -m torchlore`: the command line, and the short way to the server."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs the command line. Plain `torchlore serve`, which editors start, goes past the option parser:
    importing that takes a fifth of the time until the server answers.
    """
    if sys.argv[1:] in (["serve"], ["serve", "--stdio"]):  # many clients add what is the default
        from torchlore.lsp.start import serve_stdio

        sys.exit(serve_stdio())
    from torchlore.cli.app import main as run_command_line

    run_command_line()


if __name__ == "__main__":
    main()
