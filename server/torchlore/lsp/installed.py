"""What installed packages are made of, found out beside the requests: the next hover knows it."""

from __future__ import annotations

from functools import partial

from pygls.uris import to_fs_path

from torchlore.device import Interpreter, find_interpreter
from torchlore.lsp.analyses import configuration
from torchlore.lsp.server import Server
from torchlore.lsp.worker import Priority


def chosen_interpreter(server: Server, uri: str | None) -> Interpreter:
    """The Python that belongs to a file, or to the workspace where there is no file. Nothing is started."""
    root = server.documents.folder_of(uri or "")
    path = to_fs_path(uri) if uri else None
    near = path or root
    project = configuration(near).interpreter if near else None
    return find_interpreter(root, server.settings.interpreter, project=project, trust=server.settings.trust)


async def learn(server: Server, uri: str) -> None:
    """Asks jedi about the installed classes that a file makes objects of, each once a session.

    jedi takes seconds at first and is not thread-safe: it has a thread of its own, which nothing waits for.
    """
    wanted = await server.analysed(uri, lambda known: known.analysis.foreign_classes, Priority.BACKGROUND)
    new = sorted((wanted or frozenset()) - server.asked)
    if not new:
        return
    from torchlore.analysis.installed import package_folders, torch_base

    server.asked.update(new)
    folders = package_folders(chosen_interpreter(server, uri).path)
    for name in new:
        base = await server.jedi.run(partial(torch_base, name, folders))
        if base is not None:
            server.installed[name] = base
