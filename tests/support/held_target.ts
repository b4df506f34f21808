import type { DeliveredEvent, Detail, ListedResource, NotifyContext, Plugin } from "../../mod.ts";
import type { Delivery } from "../../src/model/ledger.ts";
import { context } from "../plugins/notification.ts";
import { settlementOf } from "./made_events.ts";
import type { TemporaryLedger } from "./temporary_ledger.ts";

/**
 * A target in RAM: a record per server, with the floating IPs that it has, and a record per
 * floating IP.
 */
export class HeldTarget implements Plugin {
  readonly name = "p";
  /** Fingerprints by `subject/id`. */
  readonly held = new Map<string, string>();
  /** Called before a listing ends. */
  onListed: () => void | Promise<void> = () => {};

  notify(detail: Detail, created: boolean, { key, subject, repair }: NotifyContext): void {
    write(this.held, { detail, created, key, subject }, repair ?? false);
  }

  async *list(): AsyncGenerator<ListedResource, void> {
    yield* listed(this.held);
    await this.onListed();
  }

  expected(delivered: readonly DeliveredEvent[]): readonly ListedResource[] {
    const held = new Map<string, string>();
    for (const event of delivered) write(held, event, false);
    return listed(held);
  }
}

/** Delivers what is ready to a target, until nothing is; returns the keys in their order. */
export async function deliverTo(target: HeldTarget, { ledger, now }: TemporaryLedger): Promise<string[]> {
  const keys: string[] = [];
  for (;;) {
    const ready: readonly Delivery[] = await ledger.ready({ plugin: "p", now: Number.MAX_SAFE_INTEGER, limit: 9 });
    if (ready.length === 0) return keys;
    for (const delivery of ready) {
      const { detail, event, repair = false } = delivery;
      target.notify(detail, event.created, context({ ...event, repair }));
      keys.push(event.key);
      await ledger.settle([settlementOf(delivery, { outcome: "done", endedAt: now })]);
    }
  }
}

function write(held: Map<string, string>, { detail, created, key, subject }: DeliveredEvent, repair: boolean): void {
  const server = `server/${detail.ID}`;
  const before = held.get(server);
  const addresses = new Set(before?.split("|").slice(1) ?? []);
  if (subject === "server") {
    if (!created) held.delete(server);
    else {
      // As for an entry of a directory: what came by events of its own stays.
      const kept = repair ? [] : addresses;
      const all = new Set([...kept, ...detail.FloatingIPs.map(({ address }) => address)]);
      held.set(server, [detail.FQDN, ...[...all].sort()].join("|"));
    }
    return;
  }
  const floatingIp = `floatingip/${key.split("/").slice(1, -2).join("/")}`;
  if (created) held.set(floatingIp, `${detail.ID} ${detail.IP}`);
  else held.delete(floatingIp);
  if (before === undefined) return;
  created ? addresses.add(String(detail.IP)) : addresses.delete(String(detail.IP));
  held.set(server, [before.split("|")[0], ...[...addresses].sort()].join("|"));
}

function listed(held: ReadonlyMap<string, string>): ListedResource[] {
  return [...held].map(([name, fingerprint]) => {
    const [subject = "", ...id] = name.split("/");
    return { subject: subject as ListedResource["subject"], id: id.join("/"), fingerprint };
  });
}
