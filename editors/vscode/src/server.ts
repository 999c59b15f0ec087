/** Which program is started as the server, and with which Python. Knows nothing of VS Code. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { expand, type Settings } from "./settings";

export interface Command {
  readonly executable: string;
  readonly args: readonly string[];
  /** Where the server was found, for the status item and the log. */
  readonly origin: string;
}

/** Which interpreter a folder of the workspace has. */
export interface Choice {
  readonly folder: string;
  /** The setting in that folder, or "". */
  readonly interpreter: string;
  readonly offered: string | undefined;
}

/** What is known of the surroundings when the server is about to start. */
export interface Surroundings {
  readonly settings: Settings;
  readonly trusted: boolean;
  readonly folders: readonly string[];
  /** The interpreter that the Python extension offers, for the first folder. */
  readonly offered: string | undefined;
  /** What is set and what is offered for each folder; of no interest where there is but one. */
  readonly choices: readonly Choice[];
  /** The extension's own folder. */
  readonly home: string;
  /** The PATH. */
  readonly searchPath: string;
}

/** Says whether a Python starts, is new enough and, where one is named, has the module. Replaced in tests. */
export type Probe = (python: string, module?: string) => Promise<boolean>;

export class NoServer extends Error {}

/**
 * Finds the server: the setting, then the bundled one, then the environment's (the last two change places
 * with `importStrategy: fromEnvironment`).
 *
 * @throws NoServer with a sentence for the user.
 */
export async function findServer(given: Surroundings, usable: Probe = canRun): Promise<Command> {
  const [command, ...args] = given.settings.path;
  if (command) {
    const executable = expand(command, given.folders[0], os.homedir());
    if (!mayRun(executable, given)) throw new NoServer("torchlore.path is in a folder that you do not trust yet.");
    return { executable, args: [...args, "serve"], origin: "torchlore.path" };
  }
  const bundled = () => bundledServer(given, usable);
  const environment = () => environmentServer(given, usable);
  const order =
    given.settings.importStrategy === "fromEnvironment" ? [environment, bundled] : [bundled, environment];
  for (const find of order) {
    const found = await find();
    if (found) return found;
  }
  throw new NoServer(missing(given));
}

/**
 * The Python in which snippets run, where the user has said which: the setting, else the Python extension's.
 * Undefined leaves the choice to the server, which looks for the workspace's virtual environment.
 */
export function chosenInterpreter(given: Surroundings): string | undefined {
  const { interpreter } = given.settings;
  const chosen = interpreter ? expand(interpreter, given.folders[0], os.homedir()) : given.offered;
  return chosen && mayRun(chosen, given) ? chosen : undefined;
}

/** The same for each folder of a workspace that has several, by their paths; those that say nothing are left out. */
export function folderInterpreters(given: Surroundings): Record<string, string> {
  if (given.choices.length < 2) return {};
  const named = given.choices.map(({ folder, interpreter, offered }) => {
    const chosen = interpreter ? expand(interpreter, folder, os.homedir()) : offered;
    return [folder, chosen && mayRun(chosen, given) ? chosen : undefined];
  });
  return Object.fromEntries(named.filter(([, chosen]) => chosen !== undefined));
}

/**
 * The Pythons that may run the server, in order: the chosen one, then those on the PATH; the workspace's own
 * only where there is no other, since nobody asked for it to be started.
 */
export function interpreters(given: Surroundings): string[] {
  const chosen = chosenInterpreter(given);
  const found = onPath(process.platform === "win32" ? ["python", "py"] : ["python3", "python"], given);
  const candidates = [...(chosen ? [chosen] : []), ...found, ...virtualEnvironments(given)];
  return [...new Set(candidates)];
}

function virtualEnvironments(given: Surroundings): string[] {
  if (!given.trusted) return [];
  const inside = process.platform === "win32" ? ["Scripts", "python.exe"] : ["bin", "python"];
  const places = given.folders.flatMap((folder) => [".venv", "venv"].map((name) => path.join(folder, name, ...inside)));
  return places.filter((file) => existsSync(file));
}

/**
 * Whether a program may be started. In Restricted Mode none that lies in the workspace: a setting with
 * `${workspaceFolder}`, or a PATH from an activated environment, would else run what the workspace brought.
 */
function mayRun(executable: string, given: Surroundings): boolean {
  return given.trusted || (path.isAbsolute(executable) && !given.folders.some((folder) => isInside(folder, executable)));
}

function isInside(folder: string, file: string): boolean {
  const way = path.relative(folder, file);
  return way.split(path.sep)[0] !== ".." && !path.isAbsolute(way);
}

function onPath(names: readonly string[], given: Surroundings): string[] {
  const suffix = process.platform === "win32" ? ".exe" : "";
  const folders = given.searchPath.split(path.delimiter);
  return names.flatMap((name) => {
    const places = folders.map((folder) => path.join(folder, name + suffix));
    const first = places.find((file) => path.isAbsolute(file) && mayRun(file, given) && existsSync(file));
    return first ? [first] : [];
  });
}

function missing(given: Surroundings): string {
  const tried = interpreters(given).join(", ") || "the PATH";
  return hasBundled(given)
    ? `found no Python ${MINIMUM.join(".")} or newer to run the server with (tried ${tried}). Set torchlore.interpreter to one.`
    : `no server comes with this build, and none is installed (tried ${tried}). Install torchlore or set torchlore.path.`;
}

const hasBundled = (given: Surroundings): boolean => existsSync(path.join(given.home, "bundled", "libs", "torchlore"));

async function bundledServer(given: Surroundings, usable: Probe): Promise<Command | undefined> {
  const start = path.join(given.home, "server", "start.py");
  if (!hasBundled(given)) return undefined;
  for (const executable of interpreters(given)) {
    // Isolated: no PYTHONPATH, no user site and no current folder can put another module before ours.
    if (await usable(executable)) return { executable, args: ["-I", start], origin: "bundled" };
  }
  return undefined;
}

async function environmentServer(given: Surroundings, usable: Probe): Promise<Command | undefined> {
  for (const executable of interpreters(given)) {
    if (await usable(executable, "torchlore.lsp")) {
      return { executable, args: ["-m", "torchlore", "serve"], origin: "environment" };
    }
  }
  // Installed as a tool of its own (pipx, uv), it has a Python that is not on the PATH.
  const [executable] = onPath(["torchlore"], given);
  return executable ? { executable, args: ["serve"], origin: "environment" } : undefined;
}

const MINIMUM = [3, 10] as const;
const PROBE_SECONDS = 10;

function canRun(python: string, module?: string): Promise<boolean> {
  const code =
    `import sys, importlib.util as u; ok = sys.version_info >= (${MINIMUM.join(", ")}); ` +
    (module ? `ok = ok and u.find_spec("${module}"); ` : "") +
    "sys.exit(not ok)";
  return new Promise((resolve) => {
    // Some folder that is not the workspace: `-c` imports from the current folder first.
    const options = { timeout: PROBE_SECONDS * 1000, cwd: path.parse(process.execPath).dir };
    // Isolated where nothing of the environment is asked for, as the bundled server will be.
    execFile(python, [...(module ? [] : ["-I"]), "-c", code], options, (error) => resolve(!error));
  });
}
