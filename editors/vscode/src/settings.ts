/** What the user can set; `package.json` describes each to them, in part made from the server's own table. */
import { SERVER_OPTIONS } from "./options";

export interface Settings {
  /** The Python that has the user's PyTorch, or "". */
  readonly interpreter: string;
  /** The command that starts the server, without `serve`, or []. */
  readonly path: readonly string[];
  readonly importStrategy: "useBundled" | "fromEnvironment";
  /** The server's options as the user set them, by name; `interpreter` is among them. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** The settings of the extension alone that the server depends on. */
export const OWN_SETTINGS = ["path", "importStrategy"] as const;

export const OPTION_NAMES: readonly string[] = Object.keys(SERVER_OPTIONS);

/** The extensions that underline what carries `@deprecated`. */
export const TYPE_CHECKERS: readonly string[] = [
  "ms-python.vscode-pylance",
  "ms-pyright.pyright",
  "detachhead.basedpyright",
  "meta.pyrefly",
  "astral-sh.ty",
];

/**
 * The options as the server takes them: words become what they mean, and what is left open is left out.
 * The interpreter is not among them: which one it is depends on more than a setting.
 *
 * @param hasTypeChecker something here underlines deprecated names; they are left to it, unless the user says
 *   otherwise.
 */
export function serverOptions(settings: Settings, hasTypeChecker: boolean): Record<string, unknown> {
  const options: Record<string, unknown> = { typeCheckedDeprecations: !hasTypeChecker };
  for (const [name, words] of Object.entries<Record<string, boolean | null>>(SERVER_OPTIONS)) {
    const value = settings.options[name];
    const meant = typeof value === "string" && Object.hasOwn(words, value) ? words[value] : value;
    if (name !== "interpreter" && meant !== undefined && meant !== null) options[name] = meant;
  }
  return options;
}

/** Replaces `${workspaceFolder}`, `${userHome}` and a leading `~`, which people write in paths. */
export function expand(path: string, folder: string | undefined, home: string): string {
  return path
    .replaceAll("${workspaceFolder}", folder ?? "")
    .replaceAll("${userHome}", home)
    .replace(/^~(?=$|[\\/])/, home);
}
