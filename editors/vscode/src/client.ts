/** The language client: one server process, and what the two sides tell each other at the start. */
import type { LogOutputChannel } from "vscode";
import {
  CloseAction,
  type ErrorHandler,
  LanguageClient,
  type LanguageClientOptions,
  type Middleware,
  RevealOutputChannelOn,
  type ServerOptions,
  State,
} from "vscode-languageclient/node";
import { askedFor } from "./commands";
import type { Command } from "./server";
import { showPage } from "./vscodeapi";

/** What the server is told at `initialize`, beside the options of its own table. */
export interface InitializationOptions {
  /** Anything but `false` means: run nothing. */
  readonly untrustedWorkspace: boolean;
  readonly interpreter?: string;
  readonly interpreters: Readonly<Record<string, string>>;
  /** The hover may hold links to the server's commands. */
  readonly commandLinks: true;
  /** The hover may hold pictures. */
  readonly pictures: true;
  /** Runs are shown in the panel, from `$/torchlore/run`. */
  readonly runEvents: true;
  readonly [option: string]: unknown;
}

export function createClient(
  command: Command,
  initializationOptions: InitializationOptions,
  home: string,
  log: LogOutputChannel,
): LanguageClient {
  const server: ServerOptions = {
    command: command.executable,
    args: [...command.args],
    // No `transport`: the client speaks over stdio then too, and adds no argument of its own.
    // Not the workspace as the current folder: `python -m` imports from there first.
    options: { cwd: home },
  };
  const options: LanguageClientOptions = {
    documentSelector: [
      { language: "python", scheme: "file" },
      { language: "python", scheme: "untitled" },
      { language: "python", scheme: "vscode-notebook-cell" },
      // For hovers on the keys of the configuration.
      { scheme: "file", pattern: "**/{pyproject,torchlore}.toml" },
    ],
    initializationOptions,
    outputChannel: log,
    traceOutputChannel: log,
    revealOutputChannelOn: RevealOutputChannelOn.Never,
    errorHandler: restartOnlyWhatRan(() => client),
    initializationFailedHandler: () => false,
    // Links in a hover may start these commands, and no other command of the editor.
    markdown: { isTrusted: { enabledCommands: ["torchlore.explain", "torchlore.run", "torchlore.insert"] } },
    middleware,
  };
  const client = new LanguageClient("torchlore", "torchlore", server, options);
  return client;
}

const middleware: Middleware = {
  window: {
    // The server writes answers and results as Markdown: people read them rendered, beside their code.
    showDocument: async (params, token, next) => {
      if (!params.uri.endsWith(".md") || params.external) return next(params, token);
      return { success: await showPage(params.uri) };
    },
  },
  // The client registers the server's commands itself; from the palette they come without arguments.
  executeCommand: async (name, args, next) => {
    const complete = args.length > 0 ? args : await askedFor(name);
    return complete && next(name, complete);
  },
};

/** The usual handling of a broken connection, but a server that never came up is not started again. */
function restartOnlyWhatRan(client: () => LanguageClient): ErrorHandler {
  let handler: ErrorHandler | undefined;
  const usual = () => (handler ??= client().createDefaultErrorHandler());
  return {
    error: (error, message, count) => usual().error(error, message, count),
    closed: () => {
      // It would fail the same way each time; the extension tells of it, once.
      if (client().state !== State.Running) return { action: CloseAction.DoNotRestart, handled: true };
      return usual().closed();
    },
  };
}
