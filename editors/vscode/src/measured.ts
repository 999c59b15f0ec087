/** What a run measured, as HTML: courses of numbers, values of lines, the layers of a model, its memory. */
import { escaped, mebibytes, table, titled } from "./html";
import type { RunResult } from "./runs";

/** As images: what is in one cannot run a script. */
export function curves(drawn: RunResult["curves"]): string {
  const images = (drawn ?? []).map(({ name, svg }) => {
    const data = Buffer.from(String(svg)).toString("base64");
    return `<img alt="${escaped(name)}" src="data:image/svg+xml;base64,${data}">`;
  });
  return images.join("");
}

export function lines(given: RunResult["lines"]): string {
  if (!given?.length) return "";
  const rows = given.map(({ line, text }) => [line, text]);
  return titled("Values", table(["Line", "Gave"], rows));
}

export function layerTable(layers: RunResult["layers"]): string {
  if (!layers) return "";
  const rows = layers.rows.map(({ name, type, output, parameters, flops }) => [
    name,
    type,
    output.map(shape).join(", "),
    parameters,
    flops ?? "",
  ]);
  const sum = ["", "together", "", layers.parameters, layers.flops ?? ""];
  return titled("Layers", table(["Name", "Layer", "Output", "Parameters", "FLOPs"], [...rows, sum]));
}

export function memoryTable(memory: RunResult["memory"]): string {
  if (!memory) return "";
  const { weights, gradients, optimizer, activations, peak, devices } = memory;
  const needed = Object.entries({ weights, gradients, optimizer, activations, "most at one moment": peak });
  const rows = needed.map(([what, bytes]) => [what, mebibytes(bytes) ?? ""]);
  const there = devices.map(({ name, total, free }) => [`free on ${name}`, mebibytes(free ?? total) ?? "unknown"]);
  return titled("Memory of a training step", table(["What", "Memory"], [...rows, ...there]));
}

const shape = (sizes: readonly number[]): string => `(${sizes.join(", ")})`;
