/**
 * Runs one restart at a time and remembers at most one more.
 *
 * Settings, trust and the chosen interpreter often change together, each asking for a restart. Two servers
 * started at once would both answer; a restart for every request would start the server over and over.
 *
 * @param restart stops the running server and starts one with the settings of that moment; must not throw.
 * @returns asks for a restart; resolves when a server started after the call is running.
 */
export function oneAtATime(restart: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let queued: Promise<void> | undefined;

  function start(): Promise<void> {
    running = restart().finally(() => {
      running = undefined;
    });
    return running;
  }

  return () => {
    if (!running) return start();
    queued ??= running.then(() => {
      queued = undefined;
      return start();
    });
    return queued;
  };
}
