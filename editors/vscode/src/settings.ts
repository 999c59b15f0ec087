/** What the user can set; `package.json` describes each to them. */
export interface Settings {
  /** The Python that has the user's PyTorch, or "". */
  readonly interpreter: string;
  /** The command that starts the server, without `serve`, or []. */
  readonly path: readonly string[];
  readonly importStrategy: "useBundled" | "fromEnvironment";
  readonly typeCheckedDeprecations: "auto" | "on" | "off";
  readonly assistance: Assistance;
}

/** What helps while somebody types. The server knows the same names. */
export interface Assistance {
  readonly completion: boolean;
  readonly signatureHelp: boolean;
  readonly inlayHints: boolean;
  readonly codeLens: boolean;
  readonly documentLinks: boolean;
  readonly workspaceSymbols: boolean;
}

/** The extensions that underline what carries `@deprecated`. */
export const TYPE_CHECKERS: readonly string[] = [
  "ms-python.vscode-pylance",
  "ms-pyright.pyright",
  "detachhead.basedpyright",
  "meta.pyrefly",
  "astral-sh.ty",
];

/** Whether the server is to report what a type checker underlines too, if one is there. */
export function reportsTypeChecked(settings: Settings, hasTypeChecker: boolean): boolean {
  if (settings.typeCheckedDeprecations === "auto") return !hasTypeChecker;
  return settings.typeCheckedDeprecations === "on";
}

/** Replaces `${workspaceFolder}`, `${userHome}` and a leading `~`, which people write in paths. */
export function expand(path: string, folder: string | undefined, home: string): string {
  return path
    .replaceAll("${workspaceFolder}", folder ?? "")
    .replaceAll("${userHome}", home)
    .replace(/^~(?=$|[\\/])/, home);
}
