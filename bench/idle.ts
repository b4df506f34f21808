// Plugins that do nothing, for the configuration of a watcher under measurement. Together they tell
// when all of their work has come.

/** So many plugins. When they have been called `total` times, a line of JSON says when that was. */
export function idle(count: number, total: number) {
  let calls = 0;
  const notify = () => {
    if (++calls === total) Deno.stderr.writeSync(new TextEncoder().encode(`{"at":${Date.now()}}\n`));
    return Promise.resolve();
  };
  return Array.from({ length: count }, (_, index) => ({ name: `Idle${index}`, notify }));
}
