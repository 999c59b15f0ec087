"""Puts the server together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Hashable
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from torchlore import __version__
from torchlore.lsp.client import Client
from torchlore.lsp.documents import Documents
from torchlore.lsp.names import (
    ASK,
    CODE_ACTION_KINDS,
    DEBUG,
    ENVIRONMENT,
    EXPLAIN,
    FIT,
    INSERT,
    PROVE,
    RUN,
    SHAPES,
    STOP,
)
from torchlore.lsp.pages import Pages
from torchlore.lsp.protocol import Protocol, tolerant_converter
from torchlore.lsp.settings import Settings
from torchlore.lsp.worker import Priority, Stale, Worker
from torchlore.text import Encoding

if TYPE_CHECKING:
    from torchlore.analysis.inquiry import Inquiry
    from torchlore.device import Crew
    from torchlore.lsp.analyses import Analysed, Analyses
    from torchlore.lsp.run_hints import RunValues
    from torchlore.lsp.workspace_diagnostics import Seen

log = logging.getLogger(__name__)

P = TypeVar("P")
R = TypeVar("R")


class Server(LanguageServer):
    """The state that the features share.

    Attributes:
        client: what the client can do; set by `initialize`.
        options: what the client said of itself at `initialize`.
        settings: what the user set; set by `initialize`, and when the client's configuration changes.
        folder_settings: the same for the workspace folders that have their own, by path.
        worker: the thread on which everything is analysed.
        jedi: the thread that waits for `inquiry`.
        asked: the names that it was asked about.
        installed: the torch classes that installed classes and functions make, as far as jedi has told.
        torch: the version of torch that a folder's Python has, None where it has none.
        pages: where the Markdown that is shown to the user is written.
        watched: the client's process, where it is one of this machine; set by `initialize`.
        tasks: what runs beside the requests.
        stops: what ends each run that is under way, by its id.
        publishing: the task that will publish the diagnostics of a file, by URI.
        seen: what was found in files that are not open, by path.
        results: how many of these were found so far: each has a number.
        workspace_changed: a file, or what files are judged by, has changed.
        published: for each file and notebook the documents for which the client shows diagnostics now.
        last_runs: how the last run of each card's snippet went, in one sentence.
        run_values: what the last run in a file gave on its lines, by URI.
        gpus: the names of those of this machine; None until somebody has looked.
    """

    def __init__(self) -> None:
        super().__init__(
            "torchlore",
            __version__,
            notebook_document_sync=_notebooks(),
            protocol_cls=Protocol,
            converter_factory=tolerant_converter,
        )
        self.client = Client()
        self.options: object = None
        self.settings = Settings()
        self.folder_settings: dict[str, Settings] = {}
        self.worker = Worker()
        self.jedi = Worker()
        self.asked: set[str] = set()
        self.installed: dict[str, str] = {}
        self.torch: dict[Hashable, str | None] = {}
        self.pages = Pages()
        self.watched: int | None = None
        self.tasks: set[asyncio.Task[Any]] = set()
        self.stops: dict[str, Callable[[], object]] = {}
        self.publishing: dict[str, asyncio.Task[Any]] = {}
        self.published: dict[str, set[str]] = {}
        self.seen: dict[str, Seen] = {}
        self.results = 0
        self.workspace_changed = asyncio.Event()
        self.changed_paths: set[str] = set()
        self.last_runs: dict[str, str] = {}
        self.run_values: dict[str, RunValues] = {}
        self.gpus: tuple[str, ...] | None = None
        self.refreshing: asyncio.Task[Any] | None = None

    @property
    def documents(self) -> Documents:
        workspace = self.protocol.workspace
        if not isinstance(workspace, Documents):
            raise RuntimeError("the workspace was not replaced on initialize")
        return workspace

    @cached_property
    def analyses(self) -> Analyses:
        """What the worker found out about the current version of each file."""
        from torchlore.analysis.store import default_store
        from torchlore.analysis.workspace import Workspace
        from torchlore.lsp.analyses import Analyses  # On the worker: see `create_server`.

        folders = self.documents.folder_paths()
        workspace = Workspace(folders, self.documents.opened, default_store())
        return Analyses(self.installed, workspace, self.settings_of)

    def settings_of(self, uri: str) -> Settings:
        """The settings that hold for a file, or in a workspace folder."""
        return self.folder_settings.get(self.documents.folder_of(uri) or "", self.settings)

    def forget_folders(self) -> None:
        """Drops what rests on which workspace folders there are; it is found out again when asked for."""
        self.__dict__.pop("analyses", None)
        self.torch.clear()

    @cached_property
    def inquiry(self) -> Inquiry:
        """The process in which jedi looks at installed packages; it is started with the first question."""
        from torchlore.analysis.inquiry import Inquiry  # Few sessions ask.

        return Inquiry()

    @cached_property
    def crew(self) -> Crew:
        """The agents that snippets run on; the first is started with the first run."""
        from torchlore.device import Crew  # Few sessions run anything.

        return Crew()

    def dismiss_crew(self) -> None:
        """Has the agents go, where there are any: they end what they run and clean up after themselves."""
        if "crew" in self.__dict__:
            self.crew.dismiss()

    def stop_asking(self) -> None:
        """Ends the process of `inquiry`, where there is one, also in the middle of a question."""
        if "inquiry" in self.__dict__:
            self.inquiry.close()

    @property
    def encoding(self) -> Encoding:
        return self.client.encoding

    def handle(
        self,
        method: str,
        handler: Callable[[Server, P], Awaitable[R]],
        options: object = None,
        *,
        otherwise: R | None = None,
    ) -> None:
        """Makes `handler` answer `method`; where it fails that is logged, and `otherwise` is the answer."""

        async def answer(params: Any) -> R | None:
            try:
                return await handler(self, params)
            except JsonRpcException:
                raise
            except Stale:
                return otherwise
            except Exception:
                self.log_failure(method)
                return otherwise

        self.feature(method, options)(answer)

    def handle_command(self, name: str, handler: Callable[[Server, list[Any]], Awaitable[Any]]) -> None:
        """Makes `handler` run the command `name`, with the list of arguments as it came."""

        async def answer(arguments: list[Any]) -> Any:
            try:
                return await handler(self, arguments)
            except JsonRpcException:
                raise
            except Stale:  # The text that it was about has changed.
                return None
            except Exception:
                self.log_failure(name)
                return None

        self.command(name)(answer)

    async def analysed(
        self, uri: str, work: Callable[[Analysed], R], priority: Priority = Priority.ASKED
    ) -> R | None:
        """What `work` makes of the current version of a file, on the worker thread.

        Of a cell it is the whole notebook. None at once where it is not open, not Python or too long.

        Raises:
            Stale: the text changed, or the file was closed, before the turn of this call came.
        """
        home = self.documents.home(uri)
        source = self.documents.snapshot(home)
        if source is None:
            return None
        return await self.worker.run(
            lambda: work(self.analyses.of(home, source)),
            priority=priority,
            about=home,
            # A closed file holds its last text too; what is found out about it would be kept for ever.
            still_wanted=lambda: self.documents.is_current(home, source),
        )

    def start_task(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Runs `work` beside the requests; a failure is logged. `shutdown` cancels what is left."""

        async def logged() -> Any:
            try:
                return await work
            except Stale:
                return None
            except Exception:
                self.log_failure(name)

        task = asyncio.get_running_loop().create_task(logged(), name=name)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        # A task that is cancelled before its first step leaves `work` unstarted; Python warns of that.
        task.add_done_callback(lambda _: work.close())
        return task

    def learn(self, uri: str) -> None:
        """Has jedi look at the installed classes that a file uses, beside the requests."""

        async def look() -> None:
            from torchlore.lsp.installed import learn  # After `initialize` was answered.

            await learn(self, uri)

        self.start_task(look(), f"looking at what {uri} imports")

    def log_failure(self, what: str) -> None:
        """Logs the exception that is being handled, here and in the client's output; never pops up."""
        log.exception("%s failed", what)
        self.log_to_client(f"{what} failed; the server's own log has the details", types.MessageType.Error)

    def log_to_client(self, message: str, kind: types.MessageType = types.MessageType.Info) -> None:
        self.window_log_message(types.LogMessageParams(kind, message))

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Logs. pygls would pop up, and on a closed connection report its own report without end."""
        log.error("%s: %s", getattr(source, "__name__", source), error)


def create_server() -> Server:
    """A server with every feature, connected to nothing yet.

    Features that need the analysis or the rules are imported with their first request, or after
    `initialize` was answered: no client should wait for modules that the answer does not need.
    """
    from torchlore.lsp import configuration, dependents, lifecycle, synchronisation

    server = Server()
    lifecycle.register(server)
    configuration.register(server)
    dependents.register(server)
    synchronisation.register(server)
    server.handle(types.TEXT_DOCUMENT_HOVER, later("hover", "hover"))
    server.handle_command(ASK, later("commands", "ask"))
    server.handle_command(EXPLAIN, later("commands", "explain"))
    server.handle_command(RUN, later("runs", "run"))
    server.handle_command(SHAPES, later("runs", "shapes"))
    server.handle_command(FIT, later("runs", "fit"))
    server.handle_command(PROVE, later("runs", "prove"))
    server.handle_command(INSERT, later("inserting", "insert"))
    server.handle_command(DEBUG, later("debug", "debug_information"))
    server.handle_command(STOP, later("runs", "stop"))
    server.handle_command(ENVIRONMENT, later("environment", "environment"))
    return server


def register_code_actions(server: Server) -> None:
    """Registers code actions; a client that resolves them gets some edits later. Called by `initialize`."""
    options = types.CodeActionOptions(list(CODE_ACTION_KINDS), resolve_provider=server.client.resolves)
    server.handle(types.TEXT_DOCUMENT_CODE_ACTION, later("code_actions", "code_actions"), options)
    if server.client.resolves:
        server.handle(types.CODE_ACTION_RESOLVE, later("code_actions", "resolve"))


def _notebooks() -> types.NotebookDocumentSyncOptions:
    """The notebooks, and the cells of them, that the client shall tell us about."""
    jupyter = types.NotebookDocumentFilterNotebookType(notebook_type="jupyter-notebook")
    cells = [types.NotebookCellLanguage(language="python")]
    return types.NotebookDocumentSyncOptions(
        notebook_selector=[types.NotebookDocumentFilterWithNotebook(notebook=jupyter, cells=cells)], save=True
    )


def later(module: str, name: str) -> Callable[[Server, Any], Awaitable[Any]]:
    """The handler `name` of a module of this package, imported when it is first called."""

    async def handler(server: Server, params: Any) -> Any:
        return await getattr(import_module(f"torchlore.lsp.{module}"), name)(server, params)

    return handler
