/** What the user can set; `package.json` describes each to them. */
export interface Settings {
  /** The Python that has the user's PyTorch, or "". */
  readonly interpreter: string;
  /** The command that starts the server, without `serve`, or []. */
  readonly path: readonly string[];
  readonly importStrategy: "useBundled" | "fromEnvironment";
}

/** Replaces `${workspaceFolder}`, `${userHome}` and a leading `~`, which people write in paths. */
export function expand(path: string, folder: string | undefined, home: string): string {
  return path
    .replaceAll("${workspaceFolder}", folder ?? "")
    .replaceAll("${userHome}", home)
    .replace(/^~(?=$|[\\/])/, home);
}
