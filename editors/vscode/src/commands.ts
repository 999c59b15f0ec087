/** What the palette's commands do before the server hears of them. */
import * as editor from "./vscodeapi";

/**
 * The arguments for a server command that was asked for without any. A question is asked for; else they are
 * those of the code action at the cursor that carries the command, chosen by the user where there are several.
 * Undefined where there is none, after saying so, or where the user wants none.
 */
export async function askedFor(command: string): Promise<unknown[] | undefined> {
  if (command === "torchlore.ask") return question();
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

async function question(): Promise<unknown[] | undefined> {
  const words = await editor.ask(
    "A question about PyTorch, a name of it, or an error message",
    "why does my loss not go down?",
  );
  return words?.trim() ? [{ words }] : undefined;
}

/** What a bug report needs, as JSON. */
export function debugInformation(facts: Record<string, unknown>): string {
  return JSON.stringify(facts, undefined, 2);
}
