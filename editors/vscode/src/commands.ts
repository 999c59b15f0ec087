/** What the palette's commands do before the server hears of them. */
import * as editor from "./vscodeapi";

/**
 * The arguments for a server command that was asked for without any. A question is asked for; else they are
 * those of the code action at the cursor that carries the command, chosen by the user where there are several.
 * Undefined where there is none, after saying so, or where the user wants none.
 */
export async function askedFor(command: string): Promise<unknown[] | undefined> {
  if (command === "torchlore.ask") return question();
  const cursor = editor.activePlace();
  const found = cursor ? await editor.actionsWithCommand(cursor, command) : new Map<string, unknown[]>();
  if (found.size === 0) {
    const place = PLACES[command] ?? "a name of PyTorch, such as backward";
    void editor.tell(`torchlore has nothing for that here: put the cursor on ${place}.`);
    return undefined;
  }
  const titles = [...found.keys()];
  const title = titles.length > 1 ? await editor.pick(titles, "Which one?") : titles[0];
  return title === undefined ? undefined : found.get(title);
}

/** Where commands are of use that are about something else than a name of PyTorch. */
const PLACES: Readonly<Record<string, string>> = {
  "torchlore.prove": "something that torchlore underlines",
  "torchlore.shapes": "a class that is a model",
  "torchlore.fit": "a class that is a model",
};

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
