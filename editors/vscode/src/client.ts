/** The language client: one server process, and what the two sides tell each other at the start. */
import type { LogOutputChannel } from "vscode";
import {
  LanguageClient,
  type LanguageClientOptions,
  RevealOutputChannelOn,
  type ServerOptions,
  TransportKind,
} from "vscode-languageclient/node";
import { askedAtCursor } from "./commands";
import type { Command } from "./server";
import { showPage } from "./vscodeapi";

/** What the server is told at `initialize`. Anything but `false` in `untrustedWorkspace` means: run nothing. */
export interface InitializationOptions {
  readonly untrustedWorkspace: boolean;
  readonly interpreter?: string;
  /** The hover may hold links to the server's commands. */
  readonly commandLinks: true;
}

export function createClient(
  command: Command,
  options: InitializationOptions,
  home: string,
  log: LogOutputChannel,
): LanguageClient {
  const server: ServerOptions = {
    command: command.executable,
    args: [...command.args],
    transport: TransportKind.stdio,
    // Never the workspace: `python -m` imports from the current folder first.
    options: { cwd: home, env: { ...process.env, PYTHONUNBUFFERED: "1", PYTHONUTF8: "1" } },
  };
  const client: LanguageClientOptions = {
    documentSelector: [
      { language: "python", scheme: "file" },
      { language: "python", scheme: "untitled" },
    ],
    initializationOptions: options,
    outputChannel: log,
    traceOutputChannel: log,
    revealOutputChannelOn: RevealOutputChannelOn.Never,
    initializationFailedHandler: (error) => {
      log.error(`The server refused to start: ${String(error)}`);
      return false;
    },
    // Links in a hover may start these two commands, and no other command of the editor.
    markdown: { isTrusted: { enabledCommands: ["torchlore.explain", "torchlore.run"] } },
    middleware: {
      window: {
        // The server writes answers and results as Markdown: people read them rendered, beside their code.
        showDocument: async (params, token, next) => {
          if (!params.uri.endsWith(".md") || params.external) return next(params, token);
          return { success: await showPage(params.uri) };
        },
      },
      // The client registers the server's commands itself; from the palette they come without arguments.
      executeCommand: async (name, args, next) => {
        const complete = args.length > 0 ? args : await askedAtCursor(name);
        return complete && next(name, complete);
      },
    },
  };
  return new LanguageClient("torchlore", "torchlore", server, client);
}
