"""`torchlore serve`: the language server."""

from __future__ import annotations

from typing import Annotated

import typer

from torchlore.cli.terminal import fail


def serve(
    tcp: Annotated[bool, typer.Option("--tcp", help="Listen on a port instead of standard input.")] = False,
    stdio: Annotated[bool, typer.Option("--stdio", help="Use standard input; the default.")] = False,
    host: Annotated[str, typer.Option(help="With --tcp: the address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="With --tcp: the port.")] = 2087,
) -> None:
    """Start the language server, for an editor to talk to."""
    from torchlore.lsp.start import serve_stdio, serve_tcp

    if tcp and stdio:
        fail("--tcp and --stdio exclude each other")

    raise typer.Exit(serve_tcp(host, port) if tcp else serve_stdio())
