/** Runs inside the panel: puts in what the extension sends, and tells it which button was pressed. */
declare function acquireVsCodeApi(): { postMessage(message: unknown): void };

const extension = acquireVsCodeApi();
const main = document.querySelector("main");

window.addEventListener("message", ({ data }: MessageEvent<{ html: string }>) => {
  if (!main) return;
  const unfolded = [...main.querySelectorAll("details")].map(({ id, open }) => ({ id, open }));
  const followed = [...main.querySelectorAll("pre[id]")].filter(isAtItsEnd).map((text) => text.id);
  const focused = (document.activeElement as HTMLElement | null)?.dataset["do"];
  main.innerHTML = data.html; // Escaped by the extension; and the policy of the page lets no script of it run.
  for (const { id, open } of unfolded) document.getElementById(id)?.toggleAttribute("open", open);
  for (const text of main.querySelectorAll("pre[id]")) {
    if (followed.includes(text.id)) text.scrollTop = text.scrollHeight;
  }
  if (focused) main.querySelector<HTMLElement>(`[data-do="${focused}"]`)?.focus();
});

document.addEventListener("click", ({ target }) => {
  const button = target instanceof Element ? target.closest<HTMLElement>("[data-do]") : null;
  if (button) extension.postMessage({ action: button.dataset["do"], run: button.dataset["run"] });
});

extension.postMessage({ action: "ready" });

/** Whoever reads the last line wants to go on reading the last line. */
function isAtItsEnd(text: Element): boolean {
  return text.scrollTop + text.clientHeight >= text.scrollHeight - 4;
}
