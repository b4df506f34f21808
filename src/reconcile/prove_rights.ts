import { listingOf, type Observation } from "../facts/observation.ts";
import type { CloudScope } from "../model/comparison.ts";
import type { CloudView, Reading } from "./cloud_view.ts";
import { NoConclusion } from "./no_conclusion.ts";
import { scopeChanges, type Visibility } from "./rights.ts";

export type Visibilities = Readonly<Record<"Nova" | "Neutron", Visibility>>;

/**
 * Makes sure that the account could see, all along, what it has found to be absent.
 *
 * @throws {NoConclusion} when its scope has changed meanwhile, or no resource of another project is visible.
 */
export async function proveRights(
  absent: readonly Observation[],
  { cloud, scope, visibility: { Nova, Neutron } }: {
    readonly cloud: CloudView;
    readonly scope: CloudScope;
    readonly visibility: Visibilities;
  },
  signal: AbortSignal,
): Promise<void> {
  if (absent.length === 0) return;
  const changes = scopeChanges(scope, await cloud.scope(signal));
  if (changes.length > 0) throw new NoConclusion(`The account's scope has changed meanwhile: ${changes.join(", ")}`);
  const isServer = absent.map((observation) => listingOf(observation) === "servers");
  if (isServer.includes(true)) await proveControls("Nova", Nova, (id) => cloud.server(id, signal));
  if (isServer.includes(false)) {
    await proveControls("Neutron", Neutron, async (id) => {
      const floatingIp = await cloud.floatingIp(id, signal);
      return floatingIp === "absent" ? await cloud.port(id, signal) : floatingIp;
    });
  }
}

async function proveControls(
  service: string,
  { controls }: Visibility,
  ask: (id: string) => Promise<Reading<object>>,
): Promise<void> {
  if (controls.length === 0) return;
  const answers = await Promise.all(controls.map(ask));
  if (answers.some((answer) => typeof answer === "object")) return;
  throw new NoConclusion(
    `${service} has listed resources of other projects, and shows none of ${controls.length} by its id: ` +
      "the account may not see them, or its rights were taken away meanwhile",
  );
}
