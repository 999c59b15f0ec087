/** What is known of the runs, from what the server tells of them as they happen. Knows nothing of VS Code. */

/** A notification `$/torchlore/run`; the server's `run_stream.py` says what is in each. */
export type RunMessage =
  | { run: string; kind: "started"; title: string; code: string; again?: unknown }
  | { run: string; kind: "output"; stream: string; text: string }
  | { run: string; kind: "finished"; result: RunResult }
  | { run: string; kind: "stopped"; reason: string };

/** The part of `docs/torchlore-run.schema.json` that is shown; an older server leaves the last ones out. */
export interface RunResult {
  readonly ok: boolean;
  readonly summary: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly truncated: boolean;
  readonly error: { readonly type: string; readonly message: string; readonly line: number | null } | null;
  readonly value: { readonly summary: string; readonly text: string } | null;
  readonly warnings: readonly { readonly category: string; readonly message: string; readonly line: number | null }[];
  readonly pictures: readonly { readonly name: string; readonly png: string }[];
  readonly notices: readonly string[];
  readonly device: string;
  readonly ownSeconds: number | null;
  readonly peakMemory: number | null;
  readonly peakDeviceMemory: number | null;
  readonly offline: boolean;
  readonly curves?: readonly { readonly name: string; readonly svg: string }[];
  readonly lines?: readonly { readonly line: number; readonly text: string }[];
  readonly layers?: Layers | null;
  readonly memory?: Memory | null;
}

/** The layers of a model, and what they take together. */
export interface Layers {
  readonly rows: readonly {
    readonly name: string;
    readonly type: string;
    readonly output: readonly (readonly number[])[];
    readonly parameters: number;
    readonly flops: number | null;
  }[];
  readonly parameters: number;
  readonly flops: number | null;
}

/** The bytes that a step of training holds, and what there is. */
export interface Memory {
  readonly weights: number;
  readonly gradients: number;
  readonly optimizer: number;
  readonly activations: number;
  readonly peak: number;
  readonly devices: readonly { readonly name: string; readonly total: number | null; readonly free: number | null }[];
}

export interface Run {
  readonly id: string;
  readonly title: string;
  readonly code: string;
  /** The argument of the command that runs it once more; undefined where there is none. */
  readonly again: unknown;
  /** What it printed so far, by stream; once it is over the result has it all. */
  readonly printed: { readonly stdout: string; readonly stderr: string };
  readonly notices: readonly string[];
  /** Undefined while it runs, null where it did not come to a result. */
  readonly result: RunResult | null | undefined;
  /** Why there is no result. */
  readonly reason: string;
}

/** Newest first. */
export type Runs = readonly Run[];

const MOST_RUNS = 10;
/** While it runs, no more than its end is shown: people read along, and it is sent anew with every change. */
const MOST_CHARACTERS = 50_000;

/** The runs after a message; one about a run that is not known, or that nobody understands, changes nothing. */
export function told(runs: Runs, message: RunMessage): Runs {
  if (message.kind === "started") {
    const { run: id, title, code, again } = message;
    const nothing = { printed: { stdout: "", stderr: "" }, notices: [], result: undefined, reason: "" };
    return [{ id, title, code, again, ...nothing }, ...runs].slice(0, MOST_RUNS);
  }
  return runs.map((run) => (run.id === message.run && isRunning(run) ? after(run, message) : run));
}

/** The runs once the server is gone: what ran will never be heard of again. */
export function abandoned(runs: Runs, reason: string): Runs {
  return runs.map((run) => (isRunning(run) ? { ...run, result: null, reason } : run));
}

export const isRunning = (run: Run): boolean => run.result === undefined;

function after(run: Run, message: RunMessage): Run {
  if (message.kind === "finished") return { ...run, result: message.result };
  if (message.kind === "stopped") return { ...run, result: null, reason: message.reason };
  if (message.kind !== "output") return run;
  const { stream, text } = message;
  if (stream === "notice") return { ...run, notices: [...run.notices, text] };
  if (stream !== "stdout" && stream !== "stderr") return run;
  return { ...run, printed: { ...run.printed, [stream]: written(run.printed[stream], text) } };
}

/**
 * Text with more of it, as a terminal shows it: a carriage return goes back to the start of the line, and what
 * comes next is written over it.
 */
export function written(shown: string, more: string): string {
  const start = shown.lastIndexOf("\n") + 1;
  const changed = shown.slice(start) + more;
  // A return at the end waits for what comes: until then the line stays as it is.
  const waiting = changed.endsWith("\r") ? "\r" : "";
  const drawn = changed.split("\n").map(drawnLast).join("\n");
  return (shown.slice(0, start) + drawn + waiting).slice(-MOST_CHARACTERS);
}

function drawnLast(line: string): string {
  return line.split("\r").findLast((part) => part !== "") ?? "";
}
