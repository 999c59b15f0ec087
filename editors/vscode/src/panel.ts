/** The panel beside the code that shows runs as they happen. */
import { page } from "./page";
import { abandoned, type RunMessage, type Runs, told } from "./runs";
import { execute, tell } from "./vscodeapi";
import { openWebView, type WebView } from "./webview";

export interface RunPanel {
  /** Takes one notification of the server. The first of a run brings the panel up. */
  tell(message: RunMessage): void;
  /** Shows the runs again, after the user closed the panel. */
  open(): void;
  /** The server is gone, and what it ran with it. */
  abandon(): void;
  dispose(): void;
}

/** Not more often than this many milliseconds; a snippet may print thousands of lines in that time. */
const BETWEEN_UPDATES = 80;

/** The commands are the server's: there are none while it is not running. */
const refused = (): void => void tell("The torchlore server is not running. Its log says why.");

/** @param home the extension's own folder, where the page's script and style lie. */
export function createRunPanel(home: string): RunPanel {
  let runs: Runs = [];
  let chosen: string | undefined;
  let view: WebView | undefined;
  let waiting: NodeJS.Timeout | undefined;

  function update(): void {
    waiting ??= setTimeout(() => {
      waiting = undefined;
      view?.show(page(runs, chosen));
    }, BETWEEN_UPDATES);
  }

  function open(): void {
    view ??= openWebView(home, { onReady: update, onAction: act, onClosed: () => (view = undefined) });
    view.reveal();
    update();
  }

  function act(name: string, id: string): void {
    const run = runs.find((one) => one.id === id);
    if (!run) return;
    if (name === "stop") execute("torchlore.stop", { run: id }).then(undefined, refused);
    else if (name === "again") execute("torchlore.run", run.again).then(undefined, refused);
    else if (name === "show") chosen = id;
    update();
  }

  return {
    tell(message) {
      runs = told(runs, message);
      if (message.kind !== "started") return update();
      chosen = message.run;
      open();
    },
    open,
    abandon() {
      runs = abandoned(runs, "The server ended before it did.");
      update();
    },
    dispose() {
      clearTimeout(waiting);
      view?.dispose();
    },
  };
}
