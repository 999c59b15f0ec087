// What a person does in VS Code with the example script, and what they then see.
//
//   node scenarios.mjs NAME ORDER.json     leaves what was seen in order.out, as JSON
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import * as window from "./window.mjs";

const FILE = "train_classifier.py";

/** In a workspace that is trusted: read, mend, run. */
async function trusted(page, order) {
  const seen = { problems: [], hovers: {} };
  await window.openFile(page, FILE);
  await page.keyboard.press("Control+b"); // No side bar: this is about the code.
  seen.problems.push(await window.problems(page, (count) => count >= order.mistakes));
  for (const [name, { at, shows }] of Object.entries(order.hovers)) {
    await window.goTo(page, ...at);
    seen.hovers[name] = await window.hover(page, shows);
    await picture(page, order, `vscode-hover-${name}`);
    await window.closeCard(page);
  }

  await window.goTo(page, ...order.mistake.at);
  seen.squiggles = await window.squiggles(page);
  await window.scroll(page, 3);
  await window.hover(page, order.mistake.code);
  await window.enlargeCard(page);
  seen.problem = await window.hover(page, order.mistake.code);
  await picture(page, order, "vscode");
  await window.closeCard(page);
  seen.fixes = await window.openQuickFixes(page, order.mistake.fix);
  await picture(page, order, "vscode-quick-fix");
  await window.chooseQuickFix(page, order.mistake.fix);
  seen.problems.push(await window.problems(page, (count) => count < seen.problems[0]));

  await window.runCommand(page, "Fix All");
  seen.problems.push(await window.problems(page, (count) => count < seen.problems[1]));
  await page.keyboard.press("Control+s");
  await page.locator(".tab.active:not(.dirty)").waitFor();

  await window.goTo(page, ...order.run.at);
  await window.runCommand(page, order.run.command);
  seen.page = await window.pageBeside(page, order.run.shows);
  await picture(page, order, "vscode-run");
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
  seen.status = await window.languageStatus(page);
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

async function picture(page, order, name) {
  await page.waitForTimeout(400);
  await page.screenshot({ path: path.join(order.pictures, `${name}.png`) });
}

const [name, file] = process.argv.slice(2);
const order = JSON.parse(readFileSync(file, "utf8"));
const { page, close } = await window.openWindow(order.window);
try {
  const seen = await { trusted, restricted }[name](page, order);
  writeFileSync(order.out, JSON.stringify(seen));
} catch (error) {
  await page.screenshot({ path: order.failed });
  console.error(error, `The window as it was then: ${order.failed}`);
  process.exitCode = 1;
} finally {
  await close();
}
