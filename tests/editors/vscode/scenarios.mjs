// What a person does in VS Code with the example script, and what they then see.
//
//   node scenarios.mjs NAME ORDER.json     leaves what was seen in order.out, as JSON
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import * as window from "./window.mjs";

const FILE = "train_classifier.py";

/** In a workspace that is trusted: read, mend, run; then insert into a file that was never saved. */
async function trusted(page, order) {
  const seen = { problems: [], hovers: {} };
  await window.openFile(page, FILE);
  await page.keyboard.press("Control+b"); // No side bar: this is about the code.
  await read(page, order, seen);
  await mend(page, order, seen);
  await run(page, order, seen);
  await insert(page, order, seen);
  seen.notifications = await window.notifications(page);
  return seen;
}

async function read(page, order, seen) {
  seen.problems.push(await window.problems(page, (count) => count >= order.mistakes));
  for (const [name, { at, shows }] of Object.entries(order.hovers)) {
    await window.goTo(page, ...at);
    seen.hovers[name] = await window.hover(page, shows);
    await picture(page, order, `vscode-hover-${name}`);
    await window.closeCard(page);
  }
  await window.goTo(page, ...order.picture.at);
  await window.scroll(page, order.picture.scroll);
  await window.hover(page, order.picture.shows);
  await window.enlargeCard(page, 320);
  await window.hover(page, order.picture.shows);
  seen.picture = await window.pictureInCard(page);
  await picture(page, order, "vscode-hover-picture");
  await window.enlargeCard(page, -134); // The next ones need less.
}

/** One mistake by its quick fix, the others by saving the file. */
async function mend(page, order, seen) {
  await window.goTo(page, ...order.mistake.at);
  seen.squiggles = await window.squiggles(page);
  await window.scroll(page, 3);
  seen.problem = await window.hover(page, order.mistake.code);
  await picture(page, order, "vscode");
  seen.rule = await window.followCode(page, order.mistake.code, "Why is this bad?");
  seen.fixes = await window.openQuickFixes(page, order.mistake.fix);
  await picture(page, order, "vscode-quick-fix");
  await window.chooseQuickFix(page, order.mistake.fix);
  seen.problems.push(await window.problems(page, (count) => count < seen.problems[0]));

  await page.keyboard.press("Control+s");
  seen.problems.push(await window.problems(page, (count) => count < seen.problems[1]));
  await page.locator(".tab.active:not(.dirty)").waitFor();
}

/** The proof of a card; then a snippet of the user's own, which prints slowly and draws. */
async function run(page, order, seen) {
  seen.status = await window.languageStatus(page, "torch 2");
  await window.goTo(page, ...order.run.at);
  await window.runCommand(page, order.run.command);
  seen.started = await window.pageBeside(page, "Stop");
  seen.page = await window.pageBeside(page, order.run.shows);
  await picture(page, order, "vscode-run");
  seen.statusAfterRun = await window.languageStatus(page, "·");

  await page.keyboard.press(order.own.key);
  seen.live = await window.pageBeside(page, order.own.prints);
  await picture(page, order, "vscode-run-live");
  seen.own = await window.pageBeside(page, order.own.gives);
  seen.drawn = await window.pictureBeside(page);
  await picture(page, order, "vscode-run-own");

  await page.keyboard.press(order.own.key);
  await window.pageBeside(page, "Stop");
  await window.pressBeside(page, "Stop");
  seen.stopped = await window.pageBeside(page, "Stopped.");
  await window.runCommand(page, "Look at Devices");
  seen.devices = await window.notification(page, "cpu");
  await window.intoCode(page); // The status is that of its language.
  seen.statusAfterLook = await window.languageStatus(page, "· cpu", order.pictures);
  await window.runCommand(page, "View: Close Editors in Other Groups");
}

/** In a file that was never saved: what helps while a call is typed; then a snippet, whose holes are tab stops. */
async function insert(page, order, seen) {
  await page.keyboard.press(order.insert.key);
  await page.locator(".tab.active", { hasText: "Untitled" }).waitFor();
  await page.keyboard.type("import torch\n\ntorch.nn.Linear(3, ");
  seen.argument = await window.argumentTyped(page);
  await page.keyboard.type("bi");
  seen.completed = await window.completions(page, "bias=");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Home");
  await page.keyboard.press("Shift+End");
  await page.keyboard.press("Delete");
  await window.openQuickFixes(page, order.insert.title);
  await window.chooseQuickFix(page, order.insert.title);
  seen.holes = await window.holes(page);
  await picture(page, order, "vscode-insert");
  await page.keyboard.type("net");
  seen.inserted = await window.textWith(page, "net");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape"); // The first one closes what is offered for completion.
  await window.runCommand(page, "Revert and Close Editor");
  await window.runCommand(page, "torchlore: Print Debug Information");
  seen.printed = await window.log(page, "threads:");
}

/** What one cell makes, another one mends. */
async function notebook(page, order) {
  const seen = {};
  await window.openNotebook(page, order.file);
  await page.keyboard.press("Control+b");
  seen.problems = await window.problems(page, (count) => count > 0);
  await window.intoCell(page, order.line);
  await page.keyboard.press("Home"); // That is before the first letter of the line.
  for (let step = 0; step < order.column; step++) await page.keyboard.press("ArrowRight");
  seen.hover = await window.hover(page, order.shows);
  await picture(page, order, "vscode-notebook");
  await window.closeCard(page);
  seen.fixes = await window.openQuickFixes(page, order.fix);
  await window.chooseQuickFix(page, order.fix);
  seen.left = await window.problems(page, (count) => count === 0);
  await page.keyboard.press("Control+s");
  await page.locator(".tab.active:not(.dirty)").waitFor();
  seen.notifications = await window.notifications(page);
  return seen;
}

/** In Restricted Mode: all answers, nothing runs; then the workspace is trusted. */
async function restricted(page, order) {
  const seen = {};
  await window.openFile(page, FILE);
  seen.problems = await window.problems(page, (count) => count >= order.mistakes);
  await page.keyboard.press("Control+b");
  const [{ at, shows }] = Object.values(order.hovers);
  await window.goTo(page, ...at);
  seen.hover = await window.hover(page, shows);
  await picture(page, order, "vscode-restricted");
  await window.closeCard(page);
  await window.goTo(page, ...order.mistake.at);
  seen.fixes = await window.openQuickFixes(page, order.mistake.fix);
  await page.keyboard.press("Escape");
  seen.palette = await window.palette(page, "PyTorch:");
  seen.status = await window.languageStatus(page, "Restricted");
  seen.ranUntrusted = existsSync(order.trap);

  await window.trustWorkspace(page);
  await window.openFile(page, FILE);
  await window.goTo(page, ...order.mistake.at);
  seen.fixesOnceTrusted = await window.openQuickFixes(page, "Run the proof");
  await page.keyboard.press("Escape");
  seen.paletteOnceTrusted = await window.palette(page, "PyTorch:");
  seen.notifications = await window.notifications(page);
  return seen;
}

/** Two folders in one window: each file has the Python of its folder, and its settings. */
async function severalFolders(page, order) {
  const seen = { status: {}, lenses: {} };
  for (const [file, shows] of Object.entries(order.files)) {
    await window.openFile(page, file);
    await window.goTo(page, 1, 1);
    seen.status[file] = await window.languageStatus(page, shows);
    await window.goTo(page, ...order.lens.at);
    if (file === order.lens.file) await window.lenses(page, order.lens.title);
    seen.lenses[file] = await page.locator(".codelens-decoration:visible").count();
  }
  seen.problems = await window.problems(page, (count) => count >= order.problems);
  return seen;
}

/** The four steps, as somebody sees them who installed it just now. */
async function walkthrough(page, order) {
  await window.openFile(page, FILE); // The extension starts with the first Python file.
  await page.keyboard.press("Control+b");
  await window.runCommand(page, "Welcome: Open Walkthrough...");
  await window.choose(page, "Get Started with torchlore");
  const steps = page.locator(".getting-started-step");
  await steps.first().waitFor();
  const seen = { steps: await steps.locator(".step-title").allInnerTexts() };
  seen.image = await window.loadedImage(page, ".getting-started-media img");
  await picture(page, order, "vscode-walkthrough");
  return seen;
}

async function picture(page, order, name) {
  await page.waitForTimeout(400);
  await page.screenshot({ path: path.join(order.pictures, `${name}.png`) });
}

const [name, file] = process.argv.slice(2);
const order = JSON.parse(readFileSync(file, "utf8"));
const { page, close } = await window.openWindow(order.window);
try {
  const seen = await { trusted, restricted, notebook, severalFolders, walkthrough }[name](page, order);
  writeFileSync(order.out, JSON.stringify(seen));
} catch (error) {
  await page.screenshot({ path: order.failed });
  console.error(error, `The window as it was then: ${order.failed}`);
  process.exitCode = 1;
} finally {
  await close();
}
