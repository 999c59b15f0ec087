import assert from "node:assert/strict";
import { test } from "node:test";
import { oneAtATime } from "../restart";

test("requests during a restart become one more restart", async () => {
  const finish: (() => void)[] = [];
  const restart = oneAtATime(() => new Promise<void>((resolve) => finish.push(resolve)));

  const first = restart();
  const later = [restart(), restart(), restart()];
  assert.equal(finish.length, 1, "a second server was started beside the first");

  finish[0]?.();
  await first;
  await new Promise(setImmediate);
  assert.equal(finish.length, 2, "the queued restart did not start");

  finish[1]?.();
  await Promise.all(later);
  assert.equal(finish.length, 2, "more than one restart was queued");
});

test("after all is quiet a request restarts at once", async () => {
  let count = 0;
  const restart = oneAtATime(async () => void count++);
  await restart();
  await restart();
  assert.equal(count, 2);
});
