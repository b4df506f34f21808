// Plugins that do nothing, for the configuration of a watcher under measurement. Together they
// report when all of their work has come.

/**
 * This many plugins. Once they were called `total` times, they print the time as a line of JSON.
 */
export function idle(count: number, total: number) {
  let calls = 0;
  const notify = () => {
    if (++calls === total) Deno.stderr.writeSync(new TextEncoder().encode(`{"at":${Date.now()}}\n`));
    return Promise.resolve();
  };
  return Array.from({ length: count }, (_, index) => ({
    name: `Idle${index}`,
    notify,
    update: () => Promise.resolve(),
  }));
}
