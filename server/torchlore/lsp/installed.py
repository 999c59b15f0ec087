"""What installed packages are made of, found out beside the requests: the next hover knows it."""

from __future__ import annotations

from functools import partial

from torchlore.device import Interpreter, find_interpreter, torch_version
from torchlore.lsp.analyses import configuration
from torchlore.lsp.server import Server
from torchlore.lsp.uris import path_of
from torchlore.lsp.worker import Priority


def chosen_interpreter(server: Server, uri: str | None) -> Interpreter:
    """The Python that belongs to a file, or to the workspace where there is no file. Nothing is started."""
    root = server.documents.folder_of(uri or "")
    path = path_of(server.documents.home(uri)) if uri else None
    near = path or root
    settings = server.settings_of(uri) if uri else server.settings
    project = configuration(near).interpreter if near else None
    configured = settings.interpreter_of(root)
    return find_interpreter(root, configured, project=project, trust=settings.trust)


def used_torch(server: Server, uri: str) -> str | None:
    """The version of torch that a file's Python has, read off the names of files; None where there is none.

    It is looked up once for a folder and its settings: a hover that waits for the disk is a slow one.
    """
    settings = server.settings_of(uri)
    key = (server.documents.folder_of(uri), settings.interpreter, settings.trust)
    if key not in server.torch:
        from torchlore.analysis.installed import package_folders

        server.torch[key] = torch_version(package_folders(chosen_interpreter(server, uri).path))
    return server.torch[key]


async def learn(server: Server, uri: str) -> None:
    """Asks what the installed classes and functions make that a file calls, each once a session.

    jedi takes seconds at first, and on some packages longer than anybody waits: it has a process of its own,
    and a thread here waits for that, which nothing waits for.
    """
    wanted = await server.analysed(uri, lambda known: known.analysis.foreign_classes, Priority.BACKGROUND)
    new = sorted((wanted or frozenset()) - server.asked)
    if not new:
        return
    from torchlore.analysis.installed import package_folders

    server.asked.update(new)
    folders = package_folders(chosen_interpreter(server, uri).path)
    for name in new:
        made = await server.jedi.run(partial(server.inquiry.ask, name, folders))
        if made is not None:
            server.installed[name] = made
