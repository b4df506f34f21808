import type { Observation } from "../facts/observation.ts";
import type { CloudScope } from "../model/comparison.ts";
import type { MemoryReader } from "../model/comparison_ledger.ts";
import type { CloudView } from "./cloud_view.ts";
import { NoConclusion } from "./no_conclusion.ts";
import { scopeChanges, type Visibility } from "./rights.ts";

export type Visibilities = Readonly<Record<"Nova" | "Neutron", Visibility>>;

export interface ProofOptions {
  readonly cloud: CloudView;
  readonly memory: MemoryReader;
  /** The scope when the comparison began. */
  readonly scope: CloudScope;
  /** The scope of the last complete comparison; `null`: there was none. */
  readonly reference: CloudScope | null;
  readonly visibility: Visibilities;
}

/**
 * Makes sure that what was observed was seen with the same eyes as at the beginning, and that the
 * account sees what it could not see if it were not allowed to. It is called after each round of
 * questions: rights that were taken away during both were missing between them, too.
 *
 * @throws {NoConclusion} when the account's scope has changed meanwhile, or a listed resource
 * cannot be seen by its id, and memory does not have it as deleted.
 */
export async function proveRights(
  observations: readonly Observation[],
  { cloud, memory, scope, reference, visibility }: ProofOptions,
  signal: AbortSignal,
): Promise<void> {
  const changes = scopeChanges(scope, await cloud.scope(signal));
  if (changes.length > 0) throw new NoConclusion(`The account's scope has changed meanwhile: ${changes.join(", ")}`);
  // A new scope becomes that with which later ones are compared.
  const isNewScope = reference === null || scopeChanges(reference, scope).length > 0;
  // What is there counts, too: servers of another cloud would be remembered, and make it this one.
  if (!isNewScope && observations.length === 0) return;
  if (visibility.Nova.isProvenByListing) await proveListing(cloud, signal);
  // Both services: what one of them shows also tells that this is the same cloud as before.
  const servers = await unseenOf(visibility.Nova, (id) => cloud.server(id, signal));
  const others = await unseenOf(visibility.Neutron, async (id) => {
    const floatingIp = await cloud.floatingIp(id, signal);
    return floatingIp === "absent" ? await cloud.port(id, signal) : floatingIp;
  });
  const unseen = await memory.look((known) => [
    ...servers.filter((id) => known.server(id)?.deleted !== true),
    ...others.filter((id) => (known.floatingIp(id) ?? known.port(id))?.deleted !== true),
  ]);
  if (unseen.length === 0) return;
  throw new NoConclusion(
    `Listed, but not shown when asked for by id: ${unseen[0]}. Either the account may not see it, or its rights were ` +
      "taken away meanwhile, or it was deleted and no notification came. In the last case try again",
  );
}

/** Reads one page again: Nova must still list the servers of all projects. */
async function proveListing(cloud: CloudView, signal: AbortSignal): Promise<void> {
  for await (const { allProjects } of cloud.read("servers", { changesSince: null, signal })) {
    if (allProjects === true) return;
    throw new NoConclusion("Nova does not list the servers of all projects any more");
  }
}

async function unseenOf(
  { witnesses }: Visibility,
  ask: (id: string) => Promise<object | string>,
): Promise<readonly string[]> {
  const answers = await Promise.all(witnesses.map(ask));
  return witnesses.filter((_, index) => typeof answers[index] !== "object");
}
