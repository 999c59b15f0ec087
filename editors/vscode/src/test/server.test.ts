import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { test } from "node:test";
import {
  chosenInterpreter,
  findServer,
  folderInterpreters,
  interpreters,
  NoServer,
  type Surroundings,
} from "../server";
import { expand, serverOptions } from "../settings";

const always = async () => true;
const never = async () => false;

test("the setting comes first and is expanded", async () => {
  const command = await findServer(given({ path: ["${workspaceFolder}/bin/torchlore", "-v"] }), never);
  assert.deepEqual(command, {
    executable: "/work space/bin/torchlore",
    args: ["-v", "serve"],
    origin: "torchlore.path",
  });
});

test("the bundled server runs isolated on the chosen interpreter", async () => {
  const home = extension({ bundled: true });
  const command = await findServer({ ...given({ interpreter: "/venv/bin/python" }), home }, always);
  assert.equal(command.executable, "/venv/bin/python");
  assert.deepEqual(command.args, ["-I", path.join(home, "server", "start.py")]);
});

test("an interpreter that is too old for the server is passed over, and still runs the snippets", async () => {
  const searchPath = folderWith("python3");
  const surroundings = { ...given({ interpreter: "/old/python" }), home: extension({ bundled: true }), searchPath };
  const command = await findServer(surroundings, async (python) => python !== "/old/python");
  assert.equal(command.executable, path.join(searchPath, "python3"));
  assert.equal(chosenInterpreter(surroundings), "/old/python");
});

test("without a bundled server the environment's is used", async () => {
  const command = await findServer({ ...given(), offered: "/venv/bin/python" }, always);
  assert.deepEqual(command.args, ["-m", "torchlore", "serve"]);
  assert.equal(command.origin, "environment");
});

test("fromEnvironment prefers the environment and falls back to the bundled server", async () => {
  const surroundings = {
    ...given({ importStrategy: "fromEnvironment" }),
    home: extension({ bundled: true }),
    offered: "/venv/bin/python",
  };
  assert.equal((await findServer(surroundings, always)).origin, "environment");
  const bundled = await findServer(surroundings, async (_python, module) => module === undefined);
  assert.equal(bundled.origin, "bundled");
});

test("a torchlore on the PATH is found", async () => {
  const searchPath = folderWith("torchlore");
  const command = await findServer({ ...given(), searchPath }, never);
  assert.equal(command.executable, path.join(searchPath, "torchlore"));
});

test("no server at all is said in one sentence that names what was tried", async () => {
  const old = given({ interpreter: "/old/python" });
  const bundled = { ...old, home: extension({ bundled: true }) };
  await assert.rejects(findServer(bundled, never), /no Python 3\.10 or newer.*\/old\/python.*torchlore\.interpreter/);
  await assert.rejects(findServer(old, never), /none is installed.*\/old\/python.*torchlore\.path/);
});

test("in Restricted Mode nothing of the workspace is started", async () => {
  const workspace = folderWith("python3");
  const restricted = { ...given(), trusted: false, folders: [workspace], searchPath: workspace };
  await assert.rejects(findServer(restricted, always), NoServer);
  const settings = { ...restricted.settings, path: ["${workspaceFolder}/torchlore"] };
  await assert.rejects(findServer({ ...restricted, settings }, always), NoServer);
  const within = [".venv/bin/python", "..venv/bin/python"].map((file) => `\${workspaceFolder}/${file}`);
  for (const interpreter of [...within, ".venv/bin/python"]) {
    const hidden = { ...restricted, settings: { ...restricted.settings, interpreter } };
    assert.equal(chosenInterpreter(hidden), undefined, interpreter);
  }
  assert.equal((await findServer({ ...restricted, trusted: true }, always)).executable, `${workspace}/python3`);
});

test("each folder of several has its own interpreter, and one alone has that of the workspace", () => {
  const own = { folder: "/a", interpreter: "${workspaceFolder}/env/bin/python", offered: "/offered/a" };
  const offered = { folder: "/b", interpreter: "", offered: "/offered/b" };
  const silent = { folder: "/c", interpreter: "", offered: undefined };
  const several = { ...given(), folders: ["/a", "/b", "/c"], choices: [own, offered, silent] };
  assert.deepEqual(folderInterpreters(several), { "/a": "/a/env/bin/python", "/b": "/offered/b" });
  assert.deepEqual(folderInterpreters({ ...several, trusted: false }), { "/b": "/offered/b" });
  assert.deepEqual(folderInterpreters({ ...several, choices: [own] }), {});
});

test("the workspace's own environment runs the server where nothing else can, and only with trust", async () => {
  const workspace = mkdtempSync(path.join(tmpdir(), "torchlore-"));
  const python = path.join(workspace, ".venv", "bin", "python");
  mkdirSync(path.dirname(python), { recursive: true });
  writeFileSync(python, "");
  const searchPath = folderWith("python3");
  const inside = { ...given(), folders: [workspace], home: extension({ bundled: true }) };
  assert.equal((await findServer(inside, always)).executable, python);
  assert.deepEqual(interpreters({ ...inside, searchPath }), [path.join(searchPath, "python3"), python]);
  await assert.rejects(findServer({ ...inside, trusted: false }, always), NoServer);
});

test("deprecated names are left to a type checker where there is one, unless the user says otherwise", () => {
  for (const [typeCheckedDeprecations, alone, beside] of [
    ["auto", true, false],
    ["on", true, true],
    ["off", false, false],
  ] as const) {
    const { settings } = given({ options: { typeCheckedDeprecations } });
    assert.equal(serverOptions(settings, false)["typeCheckedDeprecations"], alone);
    assert.equal(serverOptions(settings, true)["typeCheckedDeprecations"], beside);
  }
});

test("a Python is tried out without its environment, unless a module of that is wanted", async () => {
  const searchPath = folderWith("python3");
  const told = path.join(searchPath, "told");
  writeFileSync(path.join(searchPath, "python3"), `#!/bin/sh\necho "$1" >> '${told}'\n`);
  await findServer({ ...given(), home: extension({ bundled: true }), searchPath });
  await findServer({ ...given(), searchPath });
  assert.equal(readFileSync(told, "utf8"), "-I\n-c\n");
});

test("options are passed on as the server takes them", () => {
  const words = { runOwnCode: "never", codeLens: "toString" }; // The second is none.
  const options = { interpreter: "~/python", device: "cuda:1", warm: true, ...words, unknown: 1 };
  assert.deepEqual(serverOptions(given({ options }).settings, false), {
    typeCheckedDeprecations: true,
    device: "cuda:1",
    warm: true,
    runOwnCode: false,
    codeLens: "toString",
  });
  const left = serverOptions(given({ options: { runOwnCode: "ask" } }).settings, false);
  assert.ok(!("runOwnCode" in left), "what is left open must be left out");
});

test("paths are expanded as people write them", () => {
  assert.equal(expand("~/venv/bin/python", undefined, "/home/me"), "/home/me/venv/bin/python");
  assert.equal(expand("${userHome}/x", undefined, "/home/me"), "/home/me/x");
  assert.equal(expand("/a/~b", undefined, "/home/me"), "/a/~b");
});

function given(settings: Partial<Surroundings["settings"]> = {}): Surroundings {
  return {
    settings: {
      interpreter: "",
      path: [],
      importStrategy: "useBundled",
      options: {},
      ...settings,
    },
    trusted: true,
    folders: ["/work space"],
    offered: undefined,
    choices: [],
    home: extension({ bundled: false }),
    searchPath: "",
  };
}

function extension({ bundled }: { bundled: boolean }): string {
  const home = mkdtempSync(path.join(tmpdir(), "torchlore-"));
  if (bundled) mkdirSync(path.join(home, "bundled", "libs", "torchlore"), { recursive: true });
  return home;
}

function folderWith(program: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), "torchlore-"));
  writeFileSync(path.join(folder, program), "");
  chmodSync(path.join(folder, program), 0o755);
  return folder;
}
