/** The page of a run, as HTML. All that a snippet says is escaped: it can make no element, link or script. */
import { curves, layerTable, lines, memoryTable } from "./measured";
import { escaped, mebibytes, titled } from "./html";
import { isRunning, type Run, type Runs } from "./runs";

/** The page of the run with an id, and the way to the others; the newest where none has it. */
export function page(runs: Runs, id: string | undefined): string {
  const run = runs.find((one) => one.id === id) ?? runs[0];
  if (!run) return `<p class="quiet">Nothing has run yet.</p>`;
  const others = runs.filter((one) => one !== run);
  return [...SECTIONS.map((section) => section(run)), earlier(others)].join("");
}

type Section = (run: Run) => string;

const heading: Section = (run) => `<h1>${escaped(run.title)}</h1>`;

const state: Section = (run) => {
  const [kind, text] = isRunning(run)
    ? ["running", "Running…"]
    : run.result
      ? [run.result.ok ? "good" : "bad", run.result.summary]
      : ["bad", run.reason];
  const again = run.again === undefined ? "" : action("again", run, "Run again");
  const button = isRunning(run) ? action("stop", run, "Stop") : again;
  return `<div class="state ${kind}" role="status"><span>${escaped(text)}</span>${button}</div>`;
};

const notices: Section = (run) =>
  (run.result?.notices ?? run.notices).map((notice) => `<p class="notice">${escaped(notice)}</p>`).join("");

const error: Section = ({ result }) => {
  if (!result?.error) return "";
  const { type, message, line } = result.error;
  const said = message ? `${type}: ${message}` : type;
  return `<section class="error"><h2>Error${atLine(line)}</h2>${pre(said)}</section>`;
};

const value: Section = ({ result }) => {
  if (!result?.value) return "";
  const { summary, text } = result.value;
  return titled("Value", (summary === text ? "" : `<p>${escaped(summary)}</p>`) + pre(text, "value"));
};

const pictures: Section = ({ result }) =>
  (result?.pictures ?? [])
    .filter(({ png }) => /^[A-Za-z0-9+/=]+$/.test(png))
    .map(({ name, png }) => {
      const kind = name === VALUE_PICTURE ? ` class="pixels"` : "";
      return `<img alt="${escaped(name)}"${kind} src="data:image/png;base64,${png}">`;
    })
    .join("");

function measured({ result }: Run): string {
  return [curves(result?.curves), lines(result?.lines), layerTable(result?.layers), memoryTable(result?.memory)].join("");
}

/** A tensor drawn as an image: each of its elements is a pixel, and often there are few. */
const VALUE_PICTURE = "value.png";

const output: Section = (run) => {
  const { stdout, stderr } = run.result ?? run.printed;
  const printed = stdout.trim() && titled("Output", pre(stdout, "output"));
  const said = stderr.trim() && titled("Messages", pre(stderr, "messages"));
  const cut = "It printed more than the limit; this is the beginning.";
  return printed + said + (run.result?.truncated ? `<p class="quiet">${cut}</p>` : "");
};

const warnings: Section = ({ result }) => {
  if (!result?.warnings.length) return "";
  const items = result.warnings.map(
    ({ category, message, line }) => `<li><b>${escaped(category)}</b>${atLine(line)} ${escaped(message)}</li>`,
  );
  return titled("Warnings", `<ul>${items.join("")}</ul>`);
};

const facts: Section = ({ result }) => {
  if (!result) return "";
  const rows: [string, string | undefined][] = [
    ["Device", result.device],
    ["Without start-up", result.ownSeconds === null ? undefined : seconds(result.ownSeconds)],
    ["Memory at most", mebibytes(result.peakMemory)],
    ["On the device", mebibytes(result.peakDeviceMemory)],
    ["Network", result.offline ? "cut off" : undefined],
  ];
  const known = rows.flatMap(([name, said]) => (said ? [`<dt>${name}</dt><dd>${escaped(said)}</dd>`] : []));
  return `<dl>${known.join("")}</dl>`;
};

const code: Section = (run) => `<details id="code" open><summary>Code</summary>${pre(run.code)}</details>`;

/** What a page is made of, from top to bottom; each is empty where it has nothing to say. */
const SECTIONS: readonly Section[] = [
  heading,
  state,
  notices,
  error,
  output,
  measured,
  pictures,
  value,
  warnings,
  facts,
  code,
];

function earlier(runs: Runs): string {
  if (runs.length === 0) return "";
  const items = runs.map((run) => {
    const how = isRunning(run) ? "running" : (run.result?.summary ?? run.reason);
    return `<li>${action("show", run, run.title)} <span class="quiet">${escaped(how)}</span></li>`;
  });
  return `<details id="earlier"><summary>Other runs</summary><ul>${items.join("")}</ul></details>`;
}

const pre = (text: string, id = ""): string => `<pre${id && ` id="${id}"`}>${escaped(text.replace(/\n+$/, ""))}</pre>`;

const action = (name: string, run: Run, title: string): string =>
  `<button data-do="${name}" data-run="${escaped(run.id)}">${escaped(title)}</button>`;

const atLine = (line: number | null): string =>
  line === null ? "" : ` <span class="quiet">line ${Number(line)}</span>`;

const seconds = (count: number): string => (count < 1 ? `${Math.round(count * 1000)} ms` : `${count.toFixed(1)} s`);
