// What a receiver believes after all calls, and what the cloud says: the two must be the same.
import type { Received } from "../../tools/receiver.ts";
import type { Answer, CloudClient } from "../../tools/openstack/rest.ts";

/** Servers that exist, and floating IPs that are on servers. */
export interface State {
  readonly servers: ReadonlySet<string>;
  /** A floating IP and its server, as `<id> on <id>`. */
  readonly associations: ReadonlySet<string>;
}

/**
 * What the APIs say. A server that was never built has not come yet.
 *
 * @param known Servers that are asked for by their ids: lists lack those that are deleted softly.
 */
export async function askState(admin: CloudClient, known: Iterable<string> = []): Promise<State> {
  const { servers: listed } = await admin.nova("GET", "/servers/detail?all_tenants=1");
  const servers: Answer[] = [...listed];
  for (const id of new Set(known).difference(new Set(listed.map(({ id }: Answer) => id)))) {
    const answer = await admin.nova("GET", `/servers/${id}`, { allowed: [404] });
    if (answer !== null) servers.push(answer.server);
  }
  const { ports } = await admin.neutron("GET", "/ports");
  const { floatingips } = await admin.neutron("GET", "/floatingips");
  const built = servers.filter((server) => server["OS-SRV-USG:launched_at"] !== null).map(({ id }) => id);
  const serverOf = new Map(
    ports.filter(({ device_owner }: Answer) => device_owner.startsWith("compute:"))
      .map(({ id, device_id }: Answer) => [id, device_id]),
  );
  const associations = floatingips.flatMap(({ id, port_id }: Answer) =>
    serverOf.has(port_id) ? [`${id} on ${serverOf.get(port_id)}`] : []
  );
  return { servers: new Set(built), associations: new Set(associations) };
}

/** What a receiver believes that knew a state, and then got these calls. */
export function believed(before: State, calls: readonly Received[]): State {
  const [servers, associations] = [new Set(before.servers), new Set(before.associations)];
  for (const { key, path, detail } of calls) {
    const [subject, id] = key.split("/") as [string, string];
    const [known, what] = subject === "server" ? [servers, id] : [associations, `${id} on ${detail["ID"]}`];
    if (path === "/created") known.add(what);
    else known.delete(what);
  }
  return { servers, associations };
}

/** What is missing at the receiver, and what it believes too much. */
export function stateDifferences(receiver: State, cloud: State): readonly string[] {
  return (["servers", "associations"] as const).flatMap((what) => [
    ...[...cloud[what].difference(receiver[what])].map((one) => `The receiver lacks, of the ${what}: ${one}`),
    ...[...receiver[what].difference(cloud[what])].map((one) => `The receiver has too much, of the ${what}: ${one}`),
  ]);
}
