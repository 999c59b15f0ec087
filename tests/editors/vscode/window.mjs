// A VS Code window in a headless browser, worked with the keyboard and the mouse as a person works it.
import { createRequire } from "node:module";

// playwright-core lies in the cache beside code-server, not beside this file.
const { chromium } = createRequire(process.env.TORCHLORE_NODE_MODULES + "/")("playwright-core");

export const PATIENCE = 60_000;

/** What VS Code shows in a browser alone would only be noise in a picture. */
const BROWSER_ONLY = `
  #status\\.workbench\\.keyboardLayout, #status\\.forwardedPorts { display: none !important; }
`;

export async function openWindow({ address, browser: executablePath, width, height, scale }) {
  const browser = await chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"],
  });
  const context = await browser.newContext({ viewport: { width, height }, deviceScaleFactor: scale });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  await page.goto(address);
  await page.locator(".monaco-workbench .statusbar").waitFor();
  await page.addStyleTag({ content: BROWSER_ONLY });
  return { page, close: () => browser.close() };
}

/** Opens a file of the workspace by its name, once the window has found it. */
export async function openFile(page, name) {
  const row = page.locator(".quick-input-list .monaco-list-row", { hasText: name }).first();
  await until(async () => {
    await page.keyboard.press("Escape");
    await page.keyboard.press("Control+p");
    await page.keyboard.type(name);
    return row.waitFor({ timeout: 3_000 }).then(() => true, () => false);
  }, `no file ${name}`);
  await row.click();
  await page.locator(".editor-group-container .tab.active", { hasText: name }).waitFor();
  await page.locator(".monaco-editor .view-line").first().waitFor();
}

/** Runs a command of the palette by its title. */
export async function runCommand(page, title) {
  await page.keyboard.press("F1");
  await page.locator(".quick-input-widget input").fill(`>${title}`);
  // Enter takes the row that has the focus, and the list is still being filtered.
  await page.locator(".quick-input-list .monaco-list-row.focused", { hasText: title }).waitFor();
  await page.waitForTimeout(400);
  await page.keyboard.press("Enter");
}

/** Puts the cursor at a line and column, both from 1, in the code; scrolls there. */
export async function goTo(page, line, column) {
  await page.keyboard.press("Control+g");
  await page.locator(".quick-input-widget input").fill(`:${line}:${column}`);
  await page.keyboard.press("Enter");
  await page.locator(".quick-input-widget").waitFor({ state: "hidden" });
  await page.waitForTimeout(300);
}

/** Rests the mouse on the cursor's place and returns the text of the card that opens there. */
export async function hover(page, containing) {
  const card = page.locator(".monaco-resizable-hover:visible, .monaco-hover:visible", { hasText: containing }).first();
  await until(async () => {
    const place = await page.locator(".monaco-editor.focused .cursors-layer .cursor").first().boundingBox();
    await page.mouse.move(place.x + 60, place.y + 200);
    await page.mouse.move(place.x + 6, place.y + place.height / 2, { steps: 4 });
    return card.waitFor({ timeout: 5_000 }).then(() => true, () => false);
  }, `no hover with ${containing}`);
  return card.innerText();
}

/** Follows the code of a mistake in the card that is open; returns the page that comes up, and shuts it again. */
export async function followCode(page, code, containing) {
  await page.locator(".monaco-hover:visible a.code-link", { hasText: code }).first().click();
  const text = await pageBeside(page, containing);
  const title = await page.locator(".tab.active .label-name").innerText();
  await runCommand(page, "Revert and Close Editor");
  await page.locator(".tab", { hasText: title }).waitFor({ state: "detached" });
  await page.locator(".monaco-editor.focused").waitFor();
  return text;
}

/** What can be seen of the log that is open, once it has the words. */
export async function log(page, words) {
  const lines = page.locator(".panel .view-line");
  await lines.filter({ hasText: words }).first().waitFor();
  return (await lines.allInnerTexts()).join("\n").replaceAll("\u00a0", " ");
}

/** Waits until a command stands above a line. */
export const lenses = (page, title) =>
  page.locator(".codelens-decoration:visible", { hasText: title }).first().waitFor();

/** The argument that is marked in the signature, while a call is typed. */
export async function argumentTyped(page) {
  const marked = page.locator(".parameter-hints-widget.visible .parameter.active").first();
  await marked.waitFor();
  return marked.innerText();
}

/** What is offered to complete a word, once it offers one that is waited for. */
export async function completions(page, waitedFor) {
  const offers = page.locator(".suggest-widget.visible .monaco-list-row");
  await offers.filter({ hasText: waitedFor }).first().waitFor();
  return offers.allInnerTexts();
}

/** Opens the quick-fix menu at the cursor and returns its titles. */
export async function openQuickFixes(page, containing) {
  const menu = page.locator(".action-widget:visible");
  await until(async () => {
    if (await menu.isVisible()) await page.keyboard.press("Escape"); // Without one it would leave a notebook's cell.
    await page.keyboard.press("Control+.");
    return menu.getByText(containing).first().waitFor({ timeout: 5_000 }).then(() => true, () => false);
  }, `no quick fix with ${containing}`);
  return menu.locator(".monaco-list-row.action .title").allInnerTexts();
}

export async function chooseQuickFix(page, containing) {
  await page.locator(".action-widget:visible .monaco-list-row.action", { hasText: containing }).first().click();
}

/** How many problems the status bar counts, errors and warnings together, once it counts as many as wanted. */
export async function problems(page, wanted) {
  let count;
  await until(async () => {
    const text = await page.locator("#status\\.problems").innerText().catch(() => "");
    count = (text.match(/\d+/g) ?? []).map(Number).reduce((sum, number) => sum + number, 0);
    await page.waitForTimeout(100);
    return wanted(count);
  }, () => `the status bar counts ${count} problems`);
  return count;
}

/** How many underlined places the visible part of the code has. */
export const squiggles = (page) => page.locator(".monaco-editor").locator(".squiggly-error, .squiggly-warning").count();

/** The text of the rendered page beside the code, once it holds the words. */
export async function pageBeside(page, containing) {
  let text = "";
  await until(async () => {
    for (const frame of page.frames()) {
      const body = await frame.locator("body").innerText({ timeout: 1_000 }).catch(() => "");
      if (frame !== page.mainFrame() && body.includes(containing)) {
        text = body;
        return true;
      }
    }
    await page.waitForTimeout(250);
    return false;
  }, `no page with ${containing}`);
  return text;
}

/** Whether the card that is open shows a picture, loaded and not empty. */
export const pictureInCard = (page) => loadedImage(page, ".monaco-hover:visible img");

/** Whether the page beside the code shows a picture. */
export async function pictureBeside(page) {
  const found = await Promise.all(page.frames().map((frame) => loadedImage(frame, "main img", 5_000).catch(() => false)));
  return found.some(Boolean);
}

export async function loadedImage(page, selector, timeout = PATIENCE) {
  const image = page.locator(selector).first();
  await image.waitFor({ timeout });
  await until(() => image.evaluate(({ complete, naturalWidth }) => complete && naturalWidth > 0), `${selector} did not load`);
  return true;
}

/** Presses a button of the page beside the code. */
export async function pressBeside(page, title) {
  for (const frame of page.frames()) {
    const button = frame.locator("button", { hasText: title }).first();
    if (frame !== page.mainFrame() && (await button.isVisible().catch(() => false))) return button.click();
  }
  throw new Error(`no button ${title} beside the code`);
}

/** The text of a notification, once there is one with the words; then they are all cleared away. */
export async function notification(page, containing) {
  const message = page.locator(".notifications-toasts .notification-list-item-message", { hasText: containing }).first();
  await message.waitFor();
  const text = await message.innerText();
  await runCommand(page, "Notifications: Clear All Notifications");
  return text;
}

/** The texts that stand in the holes of a snippet being filled in. */
export async function holes(page) {
  await page.locator(".monaco-editor.focused .snippet-placeholder").first().waitFor();
  return page.locator(".monaco-editor.focused .snippet-placeholder").count();
}

/** What stands in the lines that can be seen, with ordinary spaces, once one of them has the words. */
export async function textWith(page, words) {
  await page.locator(".monaco-editor.focused .view-line", { hasText: words }).first().waitFor();
  const lines = await page.locator(".monaco-editor.focused .view-line").allInnerTexts();
  return lines.join("\n").replaceAll("\u00a0", " ");
}

export async function choose(page, title) {
  await page.locator(".quick-input-list .monaco-list-row", { hasText: title }).first().click();
}

/** Puts the cursor into the code, wherever it was. */
export async function intoCode(page) {
  await page.locator(".monaco-editor .view-line").first().click();
  await page.locator(".monaco-editor.focused").waitFor();
}

export async function openNotebook(page, name) {
  await openFile(page, name);
  await page.locator(".notebookOverlay .cell-list-container .view-line").first().waitFor();
}

/** Puts the cursor into the cell that has a line, on that line. */
export async function intoCell(page, line) {
  await page.locator(".notebookOverlay .view-line", { hasText: line }).first().click();
  await page.waitForTimeout(500);
}

export async function notifications(page) {
  return page.locator(".notifications-toasts .notification-list-item-message").allInnerTexts();
}

export async function until(attempt, otherwise) {
  const deadline = Date.now() + PATIENCE;
  while (Date.now() < deadline) {
    if (await attempt()) return;
  }
  throw new Error(typeof otherwise === "function" ? otherwise() : otherwise);
}

/** Pulls the card's lower edge down and shuts it: the next one is so much higher, enough for all that it shows. */
export async function enlargeCard(page, pixels) {
  const box = await page.locator(".monaco-resizable-hover:visible").first().boundingBox();
  const [x, y] = [box.x + 200, box.y + box.height - 1];
  await page.mouse.click(x + 300, y - 60); // With the focus it stays while the mouse is on its edge.
  await page.mouse.move(x, y - 40, { steps: 3 });
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x, y + 50, { steps: 4 });
  await page.mouse.move(x, Math.min(y + pixels, page.viewportSize().height - 40), { steps: 4 });
  await page.mouse.up();
  await page.keyboard.press("Escape");
  await closeCard(page);
}

/** Scrolls the code up by some lines, and leaves a whole line at the top. */
export async function scroll(page, lines) {
  for (let line = 0; line < lines; line++) await page.keyboard.press("Control+ArrowDown");
  await page.waitForTimeout(300);
}

export async function closeCard(page) {
  await page.mouse.move(5, 400);
  await page.locator(".monaco-hover:visible").first().waitFor({ state: "hidden" });
}

/** The titles that the palette offers for some words. */
export async function palette(page, words) {
  await page.keyboard.press("F1");
  await page.locator(".quick-input-widget input").fill(`>${words}`);
  await page.waitForTimeout(700);
  const titles = await page.locator(".quick-input-list .monaco-list-row .label-name").allInnerTexts();
  await page.keyboard.press("Escape");
  return titles;
}

/** What the language status says when it is opened, once it holds the words; with a folder, also a picture of it. */
export async function languageStatus(page, containing, pictures) {
  const card = page.locator(".monaco-hover:visible", { hasText: "torchlore" }).filter({ hasText: containing }).first();
  await until(async () => {
    await page.mouse.move(5, 400);
    await page.waitForTimeout(300);
    await page.locator(".statusbar-item[id^='status.languageStatus']").first().hover();
    return card.waitFor({ timeout: 3_000 }).then(() => true, () => false);
  }, `no language status with ${containing}`);
  const text = await card.innerText();
  if (pictures) await page.screenshot({ path: `${pictures}/vscode-status.png`, clip: await around(page, card) });
  await page.mouse.move(5, 400);
  return text;
}

/** The lower right of the window, so much of it that it holds an element. */
async function around(page, element) {
  const { width, height } = page.viewportSize();
  const { x, y } = await element.boundingBox();
  return { x: x - 60, y: y - 60, width: width - x + 60, height: height - y + 60 };
}

/** Trusts the workspace in the editor that VS Code has for it. The extension then starts its server again. */
export async function trustWorkspace(page) {
  await runCommand(page, "Workspaces: Manage Workspace Trust");
  await page.locator(".workspace-trust-editor").getByText("Trust", { exact: true }).first().click();
  await page.getByText("You trust this folder").first().waitFor();
  await page.keyboard.press("Escape");
}
