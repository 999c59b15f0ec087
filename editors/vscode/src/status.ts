/** What the status items say. */
import * as path from "node:path";

/** The answer of the server's command `torchlore.environment`. */
export interface Environment {
  readonly interpreter: { readonly path: string; readonly origin: string };
  readonly torch: string | null;
  /** Best first; null where nobody looked yet: that would start the interpreter. */
  readonly devices: readonly Device[] | null;
  readonly problem: string | null;
}

interface Device {
  readonly name: string;
  readonly description: string;
  readonly memory_total: number | null;
  readonly memory_free: number | null;
}

export interface Line {
  readonly text: string;
  readonly detail: string;
  readonly severity: "information" | "warning" | "error";
}

/** The server, in one line. */
export function serverLine(version: string, origin: string, trusted: boolean): Line {
  const text = `torchlore ${version}`.trim();
  return trusted
    ? { text, detail: `${origin} server`, severity: "information" }
    : { text, detail: "Restricted Mode: answers and checks, but nothing runs", severity: "warning" };
}

/**
 * The Python that snippets run in, its torch and its device, in one line.
 *
 * @param ranOn the device of the last run, which is known without a look.
 * @param folders of the workspace: a path in one of them is shown from there on, since there is little room.
 */
export function environmentLine(known: Environment, ranOn: string | undefined, folders: readonly string[]): Line {
  const { path: executable, origin } = known.interpreter;
  const device = known.devices ? known.devices[0]?.name : ranOn;
  if (known.problem) return { text: "no PyTorch to run with", detail: known.problem, severity: "warning" };
  const torch = known.torch ? `torch ${known.torch}` : "no torch found";
  return {
    text: device ? `${torch} · ${device}` : torch,
    detail: `${shortened(executable, folders)} (${origin})`,
    severity: known.torch ? "information" : "warning",
  };
}

/** The devices, one to a line, for somebody who asked to see them. */
export function deviceList(known: Environment): string[] {
  return (known.devices ?? []).map(({ name, description, memory_total: total, memory_free: free }) => {
    if (total === null) return `${name}: ${description}`;
    const said = free === null ? gibibytes(total) : `${gibibytes(free)} of ${gibibytes(total)} free`;
    return `${name}: ${description}, ${said}`;
  });
}

function shortened(file: string, folders: readonly string[]): string {
  const folder = folders.find((one) => file.startsWith(one + path.sep));
  return folder ? path.relative(folder, file) : file;
}

const gibibytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
