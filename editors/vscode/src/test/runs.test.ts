import assert from "node:assert/strict";
import { test } from "node:test";
import { page } from "../page";
import { abandoned, isRunning, type RunMessage, type RunResult, type Runs, told, written } from "../runs";

const FINISHED: RunResult = {
  ok: true,
  summary: "Finished in 1.2 s on cpu.",
  stdout: "42\n",
  stderr: "",
  truncated: false,
  error: null,
  value: null,
  warnings: [],
  pictures: [],
  notices: [],
  device: "cpu",
  ownSeconds: 0.012,
  peakMemory: 300 * 2 ** 20,
  peakDeviceMemory: null,
  offline: true,
};
const HOSTILE = `</pre><script>alert(1)</script><img src=x onerror='alert(2)'> & "`;

test("a run is followed from its start to its end", () => {
  let runs = follow(
    [],
    started("1"),
    { run: "1", kind: "output", stream: "stdout", text: "4" },
    { run: "1", kind: "output", stream: "stdout", text: "2\n" },
    { run: "1", kind: "output", stream: "notice", text: "cuda:0 is busy" },
  );
  assert.match(page(runs, "1"), /Running….*Stop.*cuda:0 is busy.*<pre id="output">42<\/pre>/s);

  runs = follow(runs, { run: "1", kind: "finished", result: FINISHED });
  const shown = page(runs, "1");
  assert.match(shown, /class="state good".*Finished in 1\.2 s on cpu\..*Run again/s);
  assert.match(shown, /12 ms.*300 MiB.*cut off/s);
  assert.ok(!shown.includes("Stop"));
});

test("what comes late, or of a run that nobody knows, changes nothing", () => {
  const over = follow([], started("1"), { run: "1", kind: "finished", result: FINISHED });
  const late: RunMessage = { run: "1", kind: "output", stream: "stdout", text: "late" };
  assert.deepEqual(told(over, late), over);
  assert.deepEqual(told(over, { ...late, run: "7" }), over);
  const going = follow([], started("1"));
  assert.deepEqual(told(going, { ...late, stream: "telepathy" }), going);
  assert.deepEqual(told(going, { run: "1", kind: "paused" } as unknown as RunMessage), going);
});

test("when the server is gone nothing is running any more, and what was over stays", () => {
  let runs = follow([], started("1"), { run: "1", kind: "finished", result: FINISHED });
  runs = abandoned(follow(runs, started("2")), "The server was restarted.");
  assert.ok(!runs.some(isRunning));
  assert.match(page(runs, "2"), /class="state bad".*The server was restarted\..*Run again/s);
  assert.match(page(runs, "1"), /class="state good"/);
});

test("the newest ten runs are kept, and lead to each other", () => {
  const runs = follow([], ...Array.from({ length: 12 }, (_, at) => started(String(at + 1))));
  assert.deepEqual(runs.map((run) => run.id).join(" "), "12 11 10 9 8 7 6 5 4 3");
  assert.match(page(runs, "5"), /<h1>Title 5<.*data-do="show" data-run="12"/s);
  assert.match(page(runs, "1"), /<h1>Title 12</, "one that is gone is followed by the newest");
  assert.match(page([], undefined), /Nothing has run yet/);
});

test("an error, a value, warnings and pictures are shown", () => {
  const result: RunResult = {
    ...FINISHED,
    ok: false,
    summary: "Failed after 0.1 s, line 3: ValueError: no",
    error: { type: "ValueError", message: "no", line: 3 },
    value: { summary: "Tensor of shape (2,)", text: "tensor([1., 2.])" },
    warnings: [{ category: "UserWarning", message: "look", line: null }],
    pictures: [{ name: "value.png", png: "iVBORw0KGgo=" }],
  };
  const shown = page(follow([], started("1"), { run: "1", kind: "finished", result }), "1");
  assert.match(shown, /Error <span class="quiet">line 3<.*ValueError: no/s);
  assert.match(shown, /Tensor of shape \(2,\).*tensor\(\[1\., 2\.\]\)/s);
  assert.match(shown, /<b>UserWarning<\/b> look/);
  assert.match(shown, /<img alt="value\.png" class="pixels" src="data:image\/png;base64,iVBORw0KGgo=">/);
});

test("what was measured is shown: courses, values of lines, layers, memory", () => {
  const layer = { name: "head", type: "Linear", output: [[4, 10]], parameters: 850_000, flops: null };
  const device = { name: "cuda:0", total: 2 ** 34, free: 2 ** 33 };
  const memory = { weights: 2 ** 21, gradients: 2 ** 21, optimizer: 2 ** 22, activations: 2 ** 20, peak: 2 ** 24 };
  const result: RunResult = {
    ...FINISHED,
    curves: [{ name: "losses", svg: "<svg></svg>" }],
    lines: [{ line: 3, text: "x = Tensor of shape (2,)" }],
    layers: { rows: [layer], parameters: 850_000, flops: null },
    memory: { ...memory, devices: [device] },
  };
  const shown = page(follow([], started("1"), { run: "1", kind: "finished", result }), "1");
  assert.match(shown, /<img alt="losses" src="data:image\/svg\+xml;base64,PHN2Zz48L3N2Zz4=">/);
  assert.match(shown, /<td class="number">3<\/td><td>x = Tensor of shape \(2,\)<\/td>/);
  assert.match(shown, /head<\/td><td>Linear<\/td><td>\(4, 10\)<\/td><td class="number">850,000</);
  assert.match(shown, /most at one moment<\/td><td>16 MiB.*free on cuda:0<\/td><td>8,192 MiB/s);
});

test("nothing that a snippet says becomes an element", () => {
  const result: RunResult = {
    ...FINISHED,
    summary: HOSTILE,
    stdout: HOSTILE,
    stderr: HOSTILE,
    error: { type: HOSTILE, message: HOSTILE, line: HOSTILE as unknown as number },
    value: { summary: HOSTILE, text: HOSTILE },
    warnings: [{ category: HOSTILE, message: HOSTILE, line: null }],
    pictures: [{ name: HOSTILE, png: HOSTILE }, { name: HOSTILE, png: "iVBORw0KGgo=" }],
    notices: [HOSTILE],
    device: HOSTILE,
    curves: [{ name: HOSTILE, svg: HOSTILE }],
    lines: [{ line: HOSTILE as unknown as number, text: HOSTILE }],
    layers: {
      rows: [{ name: HOSTILE, type: HOSTILE, output: [[HOSTILE as unknown as number]], parameters: 1, flops: 1 }],
      parameters: HOSTILE as unknown as number,
      flops: null,
    },
  };
  const runs = follow([], { run: HOSTILE, kind: "started", title: HOSTILE, code: HOSTILE, again: null });
  const during = follow(runs, { run: HOSTILE, kind: "output", stream: "stderr", text: HOSTILE });
  const ended = follow(runs, { run: HOSTILE, kind: "finished", result });
  for (const shown of [page(during, "1"), page(ended, "1"), page([...ended, ...during], "9")]) {
    const elements = [...shown.matchAll(/<\/?(\w+)((?: [\w-]+(?:="[^"<>]*")?)*)>/g)];
    const between = shown.replace(/<\/?\w+(?: [\w-]+(?:="[^"<>]*")?)*>/g, "");
    assert.doesNotMatch(between, /[<>]/, "a mark that is in no element");
    for (const [, name = "", attributes = ""] of elements) {
      assert.ok(!["script", "a", "iframe", "form"].includes(name), name);
      assert.doesNotMatch(attributes.replace(/"[^"]*"/g, ""), /\b(on\w+|style|href)=/);
    }
  }
  assert.equal(page(ended, "1").match(/<img [^>]*image\/png/g)?.length, 1, "what is no picture is left out");
});

test("progress bars are written over, as in a terminal", () => {
  const whole = ["0%", "\r50%", "\r100%\n", "done\r", "\n", "a\r\nb"].reduce(written, "");
  assert.equal(whole, "100%\ndone\na\nb");
  assert.ok(written("", "x".repeat(200_000)).length <= 50_000);
});

function started(id: string): RunMessage {
  return { run: id, kind: "started", title: `Title ${id}`, code: "print(42)", again: { slug: "x" } };
}

const follow = (runs: Runs, ...messages: RunMessage[]): Runs => messages.reduce(told, runs);
