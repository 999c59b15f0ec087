/** Starts the server, restarts it when what it depends on changes, and says in the status items how it is. */
import * as os from "node:os";
import type { LogOutputChannel } from "vscode";
import { type LanguageClient, State } from "vscode-languageclient/node";
import { createClient, type InitializationOptions } from "./client";
import { debugInformation } from "./commands";
import { createRunPanel, type RunPanel } from "./panel";
import { oneAtATime } from "./restart";
import type { RunMessage } from "./runs";
import { chosenInterpreter, type Command, findServer, folderInterpreters, type Surroundings } from "./server";
import { serverOptions } from "./settings";
import { deviceList, type Environment, environmentLine, type Line, serverLine } from "./status";
import * as editor from "./vscodeapi";

/** What a server is started with. */
interface Wanted {
  readonly command: Command;
  readonly options: InitializationOptions;
}

interface Running extends Wanted {
  readonly client: LanguageClient;
  /** The device of the last run. */
  ranOn?: string;
  /** What was found when the user asked to look. */
  seen?: Environment;
}

let running: Running | undefined;

/** Where people see how the server is, and what it runs. */
interface Shown {
  readonly server: editor.StatusItem;
  readonly environment: editor.StatusItem;
  readonly panel: RunPanel;
  readonly log: LogOutputChannel;
}

export async function activate(context: editor.ExtensionContext): Promise<void> {
  const home = context.extensionPath;
  const shown: Shown = {
    server: editor.createStatusItem("server", "Show Logs", "torchlore.showLogs"),
    environment: editor.createStatusItem("Python", "Look at Devices", "torchlore.showDevices"),
    panel: createRunPanel(home),
    log: editor.createLog(),
  };
  let asked = true;
  const update = oneAtATime(async () => {
    // The Python extension tells of the same interpreter several times while it starts.
    if (!asked && !(await isOutdated(home))) return;
    asked = false;
    await replaceServer(home, shown);
  });
  const restart = () => {
    asked = true;
    return update();
  };
  let watching: editor.Disposable | undefined;
  const again = () =>
    void update().then(() => {
      // In Restricted Mode the Python extension is not asked for anything; and it may be installed later.
      watching ??= editor.onPythonExtensionInterpreter(again);
    });
  context.subscriptions.push(
    ...Object.values(shown),
    editor.onSettingsChanged(again),
    editor.onTrustGranted(again),
    editor.onFoldersChanged(again),
    editor.onExtensionsChanged(again),
    editor.onEditorChanged(() => void showEnvironment(shown.environment)),
    editor.registerCommand("torchlore.restart", restart),
    editor.registerCommand("torchlore.showLogs", () => shown.log.show()),
    editor.registerCommand("torchlore.showRuns", () => shown.panel.open()),
    editor.registerCommand("torchlore.showDevices", () => showDevices(shown.environment)),
    editor.registerCommand("torchlore.printDebugInformation", async () => {
      shown.log.info(debugInformation(await facts(context)));
      shown.log.show();
      await askServer("torchlore.debugInformation", {}); // It writes what it goes by to the same log.
    }),
  );
  context.subscriptions.push({ dispose: () => watching?.dispose() });
  await restart();
  watching = editor.onPythonExtensionInterpreter(again);
}

export async function deactivate(): Promise<void> {
  await running?.client.dispose();
}

/** Stops the server and starts one with what is set now; tells where none starts, and does not throw. */
async function replaceServer(home: string, shown: Shown): Promise<void> {
  const { server, environment, panel, log } = shown;
  server.show({ text: "torchlore", detail: "starting", severity: "information" }, true);
  try {
    await stop(panel, log);
    running = await start(await wanted(await surroundings(home)), home, log);
    const { client } = running;
    client.onNotification("$/torchlore/run", (message: RunMessage) => follow(message, panel, environment));
    client.onDidChangeState(({ newState }) => {
      if (running?.client === client) showState(newState, running, shown);
    });
    showState(client.state, running, shown);
    await showEnvironment(environment);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    log.error(message);
    server.show(NOT_RUNNING);
    void editor.tellStartFailed(message);
  }
}

const NOT_RUNNING: Line = { text: "torchlore", detail: "not running", severity: "error" };

/** The client starts a server that crashed again, but not for ever; what it ran is lost in either case. */
function showState(state: State, { client, command }: Running, { server, panel }: Shown): void {
  if (state === State.Running) {
    const version = client.initializeResult?.serverInfo?.version ?? "";
    server.show(serverLine(version, command.origin, editor.isTrusted()));
  } else if (state === State.Stopped) {
    server.show(NOT_RUNNING);
    panel.abandon();
  }
}

async function wanted(given: Surroundings): Promise<Wanted> {
  const command = await findServer(given);
  const interpreter = chosenInterpreter(given);
  const options: InitializationOptions = {
    ...serverOptions(given.settings, editor.hasTypeChecker()),
    untrustedWorkspace: !given.trusted,
    interpreters: folderInterpreters(given),
    commandLinks: true,
    pictures: true,
    runEvents: true,
    ...(interpreter ? { interpreter } : {}),
  };
  return { command, options };
}

/** Whether a server that is started now would be another one, or told something else. */
async function isOutdated(home: string): Promise<boolean> {
  if (!running) return true;
  const { command, options } = running;
  const now = await wanted(await surroundings(home)).catch(() => undefined);
  return JSON.stringify(now) !== JSON.stringify({ command, options });
}

async function start({ command, options }: Wanted, home: string, log: LogOutputChannel): Promise<Running> {
  log.info(`Starting the ${command.origin} server: ${[command.executable, ...command.args].join(" ")}`);
  const client = createClient(command, options, home, log);
  try {
    await client.start();
  } catch (error) {
    log.error(String(error));
    throw new Error(`the server did not start (${command.executable}). The log says why.`);
  }
  return { client, command, options };
}

async function stop(panel: RunPanel, log: LogOutputChannel): Promise<void> {
  const stopping = running;
  running = undefined;
  panel.abandon();
  // A server that crashed cannot be stopped politely; that must not keep the next one from starting.
  await stopping?.client.dispose().catch((error) => log.warn(`The old server did not stop cleanly: ${error}`));
}

/** Shows a run, and remembers on which device it was. */
function follow(message: RunMessage, panel: RunPanel, status: editor.StatusItem): void {
  panel.tell(message);
  if (message.kind !== "finished" || !running) return;
  running.ranOn = message.result.device;
  void showEnvironment(status);
}

/** Asks the server which Python belongs to the file that is being edited; with `look` also what devices it has. */
async function environmentOf(look: boolean): Promise<Environment | undefined> {
  const known = await askServer("torchlore.environment", { uri: editor.activeFile(), look });
  return known as Environment | undefined;
}

/** What a command of the server gives; undefined for nothing, and where there is no server. */
async function askServer(command: string, argument: Record<string, unknown>): Promise<unknown> {
  const asked = { command, arguments: [argument] };
  return running?.client.sendRequest<unknown>("workspace/executeCommand", asked).then(
    (answer) => answer ?? undefined,
    () => undefined, // It was stopped meanwhile; its successor is asked anew.
  );
}

async function showEnvironment(status: editor.StatusItem): Promise<void> {
  const known = await environmentOf(false);
  if (!known) return;
  const seen = running?.seen?.interpreter.path === known.interpreter.path ? running.seen : known;
  status.show(environmentLine(seen, running?.ranOn, editor.workspaceFolders()));
}

/** The user asks to see the devices: that starts the interpreter, and imports its torch. */
async function showDevices(status: editor.StatusItem): Promise<void> {
  status.show({ text: "torch", detail: "looking at the devices", severity: "information" }, true);
  const seen = await environmentOf(true);
  if (!seen || !running) {
    status.show({ text: "torch", detail: "the server is not running", severity: "warning" });
    return;
  }
  running.seen = seen;
  status.show(environmentLine(seen, running.ranOn, editor.workspaceFolders()));
  void editor.tell(seen.problem ?? deviceList(seen).join(" · "));
}

async function surroundings(home: string): Promise<Surroundings> {
  const choices = await editor.folderChoices();
  return {
    settings: editor.readSettings(),
    trusted: editor.isTrusted(),
    folders: editor.workspaceFolders(),
    offered: choices[0] ? choices[0].offered : await editor.offeredInterpreter(),
    choices,
    home,
    searchPath: process.env.PATH ?? "",
  };
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
    environment: await environmentOf(false),
    command: running?.command ?? "no server is running",
    server: initialized?.serverInfo,
    capabilities: initialized?.capabilities,
  };
}
