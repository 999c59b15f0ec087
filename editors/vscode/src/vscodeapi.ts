/**
 * With `webview.ts` the one module that imports `vscode`.
 *
 * Everything else takes plain values, so that it runs under Node's test runner, where no editor exists.
 */
import * as vscode from "vscode";
import type { Choice } from "./server";
import { OPTION_NAMES, OWN_SETTINGS, type Settings, TYPE_CHECKERS } from "./settings";
import type { Line } from "./status";

export type { Disposable, ExtensionContext } from "vscode";

export interface Place {
  readonly uri: vscode.Uri;
  readonly range: vscode.Range;
}

export interface StatusItem {
  show(line: Line, busy?: boolean): void;
  dispose(): void;
}

export const editorVersion = vscode.version;
export const editorName = (): string => vscode.env.appName;
export const isTrusted = (): boolean => vscode.workspace.isTrusted;
export const workspaceFolders = (): string[] =>
  (vscode.workspace.workspaceFolders ?? []).map((folder) => folder.uri.fsPath);

export function readSettings(folder?: vscode.Uri): Settings {
  const scope = folder ?? vscode.workspace.workspaceFolders?.[0]?.uri;
  const configuration = vscode.workspace.getConfiguration("torchlore", scope);
  return {
    interpreter: configuration.get("interpreter", ""),
    path: configuration.get<string[]>("path", []),
    importStrategy: configuration.get("importStrategy", "useBundled"),
    options: Object.fromEntries(OPTION_NAMES.map((name) => [name, configuration.get(name)])),
  };
}

/** For each folder of the workspace the interpreter that is set in it, and the one that is offered for it. */
export async function folderChoices(): Promise<Choice[]> {
  const folders = vscode.workspace.workspaceFolders ?? [];
  return Promise.all(
    folders.map(async ({ uri }) => ({
      folder: uri.fsPath,
      interpreter: readSettings(uri).interpreter,
      offered: await offeredInterpreter(uri),
    })),
  );
}

/**
 * The interpreter chosen in the Python extension for a folder, or where there is none; that extension is never
 * required, and without trust it is not asked.
 */
export const offeredInterpreter = async (folder?: vscode.Uri): Promise<string | undefined> =>
  isTrusted() ? pythonExtensionInterpreter(folder).catch(() => undefined) : undefined;

async function pythonExtensionInterpreter(folder: vscode.Uri | undefined): Promise<string | undefined> {
  const extension = vscode.extensions.getExtension<PythonExtension>("ms-python.python");
  if (!extension) return undefined;
  const api = extension.isActive ? extension.exports : await extension.activate();
  const environments = api?.environments;
  if (!environments) return undefined;
  const chosen = environments.getActiveEnvironmentPath(folder);
  return (await environments.resolveEnvironment(chosen))?.executable.uri?.fsPath;
}

/** Whether an extension that underlines deprecated names is installed and not disabled. */
export const hasTypeChecker = (): boolean =>
  TYPE_CHECKERS.some((id) => vscode.extensions.getExtension(id) !== undefined);

/** Calls back when another interpreter is chosen in the Python extension. */
export function onPythonExtensionInterpreter(changed: () => void): vscode.Disposable | undefined {
  const extension = vscode.extensions.getExtension<PythonExtension>("ms-python.python");
  return extension?.exports?.environments?.onDidChangeActiveEnvironmentPath(changed);
}

export function onSettingsChanged(changed: () => void): vscode.Disposable {
  const watched = [...OPTION_NAMES, ...OWN_SETTINGS].map((name) => `torchlore.${name}`);
  return vscode.workspace.onDidChangeConfiguration((event) => {
    if (watched.some((name) => event.affectsConfiguration(name))) changed();
  });
}

export const onFoldersChanged = (changed: () => void): vscode.Disposable =>
  vscode.workspace.onDidChangeWorkspaceFolders(changed);

/** Calls back when an extension came, went or was switched: the Python extension, or a type checker. */
export const onExtensionsChanged = (changed: () => void): vscode.Disposable =>
  vscode.extensions.onDidChange(changed);

/** Calls back when another file, perhaps of another folder, is being edited. */
export const onEditorChanged = (changed: () => void): vscode.Disposable =>
  vscode.window.onDidChangeActiveTextEditor(changed);

export const onTrustGranted = (granted: () => void): vscode.Disposable =>
  vscode.workspace.onDidGrantWorkspaceTrust(granted);

export const registerCommand = (id: string, run: () => unknown): vscode.Disposable =>
  vscode.commands.registerCommand(id, run);

export const createLog = (): vscode.LogOutputChannel =>
  vscode.window.createOutputChannel("torchlore", { log: true });

/** An item of the language status, the braces in the status bar; with a command to go on with. */
export function createStatusItem(name: string, title: string, command: string): StatusItem {
  const item = vscode.languages.createLanguageStatusItem(`torchlore.${name}`, [
    { language: "python" },
    { notebookType: "jupyter-notebook" },
  ]);
  item.name = `torchlore: ${name}`;
  item.command = { command, title };
  const severities = {
    information: vscode.LanguageStatusSeverity.Information,
    warning: vscode.LanguageStatusSeverity.Warning,
    error: vscode.LanguageStatusSeverity.Error,
  };
  return {
    show({ text, detail, severity }, busy = false) {
      Object.assign(item, { text, detail, busy, severity: severities[severity] });
    },
    dispose: () => item.dispose(),
  };
}

/** Tells that the server did not start, once, with the two ways out. */
export async function tellStartFailed(message: string): Promise<void> {
  const choice = await vscode.window.showErrorMessage(`torchlore: ${message}`, "Open Settings", "Show Logs");
  if (choice === "Open Settings") {
    await vscode.commands.executeCommand("workbench.action.openSettings", "torchlore");
  } else if (choice === "Show Logs") {
    await vscode.commands.executeCommand("torchlore.showLogs");
  }
}

/** Shows a Markdown file as a rendered page beside the code, and leaves the cursor where it is. */
export async function showPage(uri: string): Promise<boolean> {
  const editing = vscode.window.activeTextEditor;
  await vscode.commands.executeCommand("markdown.showPreviewToSide", vscode.Uri.parse(uri));
  await vscode.commands.executeCommand("markdown.preview.refresh");
  const viewColumn = editing?.viewColumn ?? vscode.ViewColumn.One;
  if (editing) await vscode.window.showTextDocument(editing.document, { viewColumn });
  return true;
}

/** The selection of the active editor: what a command asked for without arguments is about. */
export function activePlace(): Place | undefined {
  const editor = vscode.window.activeTextEditor;
  return editor && { uri: editor.document.uri, range: editor.selection };
}

/** The code actions at a place that carry one command, by title. */
export async function actionsWithCommand(place: Place, command: string): Promise<Map<string, unknown[]>> {
  const actions = await vscode.commands.executeCommand<(vscode.CodeAction | vscode.Command)[]>(
    "vscode.executeCodeActionProvider",
    place.uri,
    place.range,
    undefined,
    MAX_RESOLVED,
  );
  const found = new Map<string, unknown[]>();
  for (const action of actions ?? []) {
    const carried = typeof action.command === "string" ? (action as vscode.Command) : action.command;
    if (carried?.command === command) found.set(action.title, carried.arguments ?? []);
  }
  return found;
}

export const pick = (choices: string[], placeHolder: string): Thenable<string | undefined> =>
  vscode.window.showQuickPick(choices, { placeHolder });

export const ask = (prompt: string, placeHolder: string): Thenable<string | undefined> =>
  vscode.window.showInputBox({ prompt, placeHolder });

export const execute = (command: string, ...args: unknown[]): Thenable<unknown> =>
  vscode.commands.executeCommand(command, ...args);

/** The file that is being edited, as the server names it. */
export const activeFile = (): string | undefined => vscode.window.activeTextEditor?.document.uri.toString();

export const tell = (message: string): Thenable<unknown> => vscode.window.showInformationMessage(message);

/** An action may carry its command only once it is resolved; nobody has more than this many at one place. */
const MAX_RESOLVED = 32;

/** The part of the Python extension's published API that is used here. */
interface PythonExtension {
  readonly environments?: {
    getActiveEnvironmentPath(resource?: vscode.Uri): { readonly id: string; readonly path: string };
    resolveEnvironment(environment: {
      readonly id: string;
      readonly path: string;
    }): Promise<{ readonly executable: { readonly uri?: vscode.Uri } } | undefined>;
    readonly onDidChangeActiveEnvironmentPath: (listener: () => void) => vscode.Disposable;
  };
}
