/** What the palette's commands do before the server hears of them. */
import * as editor from "./vscodeapi";

/**
 * The arguments for a server command that was asked for without any: those of the code action at the cursor
 * that carries it, chosen by the user where there are several. Undefined where there is none, after saying so.
 */
export async function askedAtCursor(command: string): Promise<unknown[] | undefined> {
  const place = editor.activePlace();
  const found = place ? await editor.actionsWithCommand(place, command) : new Map<string, unknown[]>();
  if (found.size === 0) {
    void editor.tell("torchlore has no answer here: put the cursor on a name of PyTorch, such as backward.");
    return undefined;
  }
  const titles = [...found.keys()];
  const title = titles.length > 1 ? await editor.pick(titles, "Which one?") : titles[0];
  return title === undefined ? undefined : found.get(title);
}

/** What a bug report needs, as JSON. */
export function debugInformation(facts: Record<string, unknown>): string {
  return JSON.stringify(facts, undefined, 2);
}
