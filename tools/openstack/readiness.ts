// Whether started services are ready.
import type { Answer, CloudClient } from "./rest.ts";
import { ADDRESS, type Compute } from "./settings.ts";

/** Every compute host reported itself since then. */
export async function allUp(admin: CloudClient, computes: readonly Compute[], since: Date): Promise<boolean> {
  const { services } = await admin.nova("GET", "/os-services?binary=nova-compute");
  const isUp = ({ state, updated_at }: Answer) => state === "up" && new Date(`${updated_at}Z`) > since;
  const up = new Set(services.filter(isUp).map(({ host }: Answer) => host));
  return computes.every(({ host }) => up.has(host));
}

/** Tells Nova that a host is down or up, as a monitoring service does. Returns whether Nova takes it. */
export async function forceDown(admin: CloudClient, host: string, forced_down: boolean): Promise<boolean> {
  const microversion = "2.53";
  const { services } = await admin.nova("GET", `/os-services?binary=nova-compute&host=${host}`, { microversion });
  const call = { body: { forced_down }, microversion, allowed: [400] };
  return await admin.nova("PUT", `/os-services/${services[0].id}`, call) !== null;
}

/** Every agent of a switch reported itself since then. */
export async function allAlive(admin: CloudClient, computes: readonly Compute[], since: Date): Promise<boolean> {
  const { agents } = await admin.neutron("GET", "/agents");
  const isAlive = (one: Answer) => one.alive && new Date(`${one.heartbeat_timestamp.replace(" ", "T")}Z`) > since;
  const alive = new Set(agents.filter(isAlive).map(({ host }: Answer) => host));
  return computes.every(({ host }) => alive.has(host));
}

/** Whether a process listens at the port. */
export async function listens(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: ADDRESS, port })).close();
    return true;
  } catch {
    return false;
  }
}

/**
 * Waits until no process listens: the children of a killed server end a little later than the
 * server.
 */
export async function untilFree(ports: readonly number[]): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!ports.every(isFree)) {
    if (Date.now() > deadline) throw new Error(`Somebody still listens at one of the ports ${ports.join(", ")}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function isFree(port: number): boolean {
  try {
    Deno.listen({ hostname: ADDRESS, port }).close();
    return true;
  } catch {
    return false;
  }
}

/** Whether the server answers with anything but a failure of its own. */
export async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
    await response.body?.cancel();
    return response.status < 500;
  } catch {
    return false;
  }
}
