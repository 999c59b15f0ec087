/** Starts the server, restarts it when what it depends on changes, and says in the status item how it is. */
import * as os from "node:os";
import type { LogOutputChannel } from "vscode";
import type { LanguageClient } from "vscode-languageclient/node";
import { createClient, type InitializationOptions } from "./client";
import { debugInformation } from "./commands";
import { oneAtATime } from "./restart";
import { chosenInterpreter, type Command, findServer, type Surroundings } from "./server";
import { reportsTypeChecked } from "./settings";
import * as editor from "./vscodeapi";

let running: { readonly client: LanguageClient; readonly command: Command } | undefined;

export async function activate(context: editor.ExtensionContext): Promise<void> {
  const log = editor.createLog();
  const status = editor.createStatusItem();
  const home = context.extensionPath;
  const restart = oneAtATime(async () => {
    status.show("torchlore", "starting", "information", true);
    try {
      await stop(log);
      running = await start(await surroundings(home), log);
      showRunning(status);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      log.error(message);
      status.show("torchlore", "not running", "error");
      void editor.tellStartFailed(message);
    }
  });
  const again = () => void restart();
  context.subscriptions.push(
    log,
    status,
    editor.onSettingsChanged(again),
    editor.onTrustGranted(again),
    editor.registerCommand("torchlore.restart", restart),
    editor.registerCommand("torchlore.showLogs", () => log.show()),
    editor.registerCommand("torchlore.printDebugInformation", async () => {
      log.info(debugInformation(await facts(context)));
      log.show();
    }),
  );
  await restart();
  const watching = editor.onPythonExtensionInterpreter(again);
  if (watching) context.subscriptions.push(watching);
}

export async function deactivate(): Promise<void> {
  await running?.client.dispose();
}

async function start(given: Surroundings, log: LogOutputChannel): Promise<NonNullable<typeof running>> {
  const command = await findServer(given);
  const interpreter = chosenInterpreter(given);
  const options: InitializationOptions = {
    untrustedWorkspace: !given.trusted,
    typeCheckedDeprecations: reportsTypeChecked(given.settings, editor.hasTypeChecker()),
    ...given.settings.assistance,
    commandLinks: true,
    ...(interpreter ? { interpreter } : {}),
  };
  log.info(`Starting the ${command.origin} server: ${[command.executable, ...command.args].join(" ")}`);
  const client = createClient(command, options, given.home, log);
  try {
    await client.start();
  } catch (error) {
    log.error(String(error));
    throw new Error(`the server did not start (${command.executable}). The log says why.`);
  }
  return { client, command };
}

async function stop(log: LogOutputChannel): Promise<void> {
  const stopping = running;
  running = undefined;
  // A server that crashed cannot be stopped politely; that must not keep the next one from starting.
  await stopping?.client.dispose().catch((error) => log.warn(`The old server did not stop cleanly: ${error}`));
}

async function surroundings(home: string): Promise<Surroundings> {
  const trusted = editor.isTrusted();
  return {
    settings: editor.readSettings(),
    trusted,
    folders: editor.workspaceFolders(),
    offered: trusted ? await editor.pythonExtensionInterpreter().catch(() => undefined) : undefined,
    home,
    searchPath: process.env.PATH ?? "",
  };
}

function showRunning(status: editor.StatusItem): void {
  const version = running?.client.initializeResult?.serverInfo?.version ?? "";
  const detail = editor.isTrusted()
    ? `${running?.command.origin} server`
    : "Restricted Mode: answers and checks, but nothing runs";
  status.show(`torchlore ${version}`.trim(), detail, editor.isTrusted() ? "information" : "warning");
}

async function facts(context: editor.ExtensionContext): Promise<Record<string, unknown>> {
  const given = await surroundings(context.extensionPath);
  const initialized = running?.client.initializeResult;
  return {
    extension: (context.extension.packageJSON as { version: string }).version,
    editor: `${editor.editorName()} ${editor.editorVersion}`,
    system: `${os.platform()} ${os.arch()} ${os.release()}`,
    trusted: given.trusted,
    folders: given.folders,
    settings: given.settings,
    interpreter: chosenInterpreter(given) ?? "left to the server",
    command: running?.command ?? "no server is running",
    server: initialized?.serverInfo,
    capabilities: initialized?.capabilities,
  };
}
