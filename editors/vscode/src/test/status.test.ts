import assert from "node:assert/strict";
import { test } from "node:test";
import { deviceList, type Environment, environmentLine, serverLine } from "../status";

const KNOWN: Environment = {
  interpreter: { path: "/venv/bin/python", origin: "workspace .venv" },
  torch: "2.13.0",
  devices: null,
  problem: null,
};
const GPU = { name: "cuda:0", description: "A GPU", memory_total: 2 ** 34, memory_free: 2 ** 33 };
const CPU = { name: "cpu", description: "A CPU", memory_total: null, memory_free: null };

test("the interpreter and its torch are known without a look, the device after one or after a run", () => {
  assert.deepEqual(environmentLine(KNOWN, undefined, []), {
    text: "torch 2.13.0",
    detail: "/venv/bin/python (workspace .venv)",
    severity: "information",
  });
  assert.equal(environmentLine(KNOWN, "cpu", []).text, "torch 2.13.0 · cpu");
  assert.equal(environmentLine({ ...KNOWN, devices: [GPU, CPU] }, "cpu", []).text, "torch 2.13.0 · cuda:0");
});

test("a Python of the workspace is shown from there on", () => {
  const detail = (folders: string[]) => environmentLine(KNOWN, undefined, folders).detail;
  assert.equal(detail(["/other", "/venv"]), "bin/python (workspace .venv)");
  assert.equal(detail(["/ven", "/venv/bin/python"]), "/venv/bin/python (workspace .venv)");
});

test("what is missing is a warning that says what to do", () => {
  assert.equal(environmentLine({ ...KNOWN, torch: null }, undefined, []).severity, "warning");
  const line = environmentLine({ ...KNOWN, problem: "It has no torch; choose another." }, undefined, []);
  assert.deepEqual([line.severity, line.detail], ["warning", "It has no torch; choose another."]);
});

test("devices are listed with what is free", () => {
  const listed = deviceList({ ...KNOWN, devices: [GPU, { ...GPU, name: "mps:0", memory_free: null }, CPU] });
  assert.deepEqual(listed, ["cuda:0: A GPU, 8.0 GiB of 16.0 GiB free", "mps:0: A GPU, 16.0 GiB", "cpu: A CPU"]);
  assert.deepEqual(deviceList(KNOWN), []);
});

test("Restricted Mode is told in the server's line", () => {
  assert.equal(serverLine("0.1.0", "bundled", true).detail, "bundled server");
  assert.match(serverLine("0.1.0", "bundled", false).detail, /nothing runs/);
});
