import type { ProcessIdentity, SeenProcess } from "./lease_table.ts";

/** How the configurations of other processes that run differ from ours: a sentence for each. */
export function differencesOf(self: ProcessIdentity, processes: readonly SeenProcess[]): readonly string[] {
  return processes.filter(({ isLiving, id }) => isLiving && id !== self.id).flatMap((other) => {
    const differences: string[] = [];
    const missing = self.plugins.filter((plugin) => !other.plugins.includes(plugin));
    const more = other.plugins.filter((plugin) => !self.plugins.includes(plugin));
    if (missing.length > 0) differences.push(`it lacks the plugins ${missing.join(", ")}`);
    if (more.length > 0) differences.push(`it has the plugins ${more.join(", ")}, which we do not have`);
    if (other.events !== self.events) {
      differences.push(
        "its events, its detail or its filters (when) are others: what is announced depends on who decides",
      );
    }
    if (other.version !== self.version) differences.push(`it is oss-watcher ${other.version}, we are ${self.version}`);
    return differences.map((difference) => `The configuration of process "${other.name}" differs: ${difference}`);
  });
}
