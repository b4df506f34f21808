import type { Detail, UpdateContext } from "../../mod.ts";
import { frozen, sampleEvent, serverIdOf } from "./sample_event.ts";

/** The arguments of `update`. */
export interface SampleUpdate {
  /** The first argument of `update`: the server as it is now. */
  readonly detail: Detail;
  /** The second: of a first attempt that is never aborted; its logger discards all lines. */
  readonly context: UpdateContext;
}

/** Options of {@linkcode sampleUpdate}. */
export interface SampleUpdateOptions {
  /** Which server, from 1 to 250: that of a `sampleEvent` with the same number. @default 1 */
  readonly server?: number;
  /** Which update of this server, from 1. @default 1 */
  readonly number?: number;
  /** Keys of the detail before the update to replace. @default as `sampleEvent` made it */
  readonly before?: Partial<Detail>;
  /**
   * What the update changes. @default another name, owner, user and port: `FQDN`, `Owner`,
   * `Metadata`, `UserName`, `IP`, `MAC`, `Addresses`
   */
  readonly detail?: Partial<Detail>;
}

/**
 * An update as plugins get it, of the server that `sampleEvent` creates. `changed` lists the keys
 * that differ. Equal options make equal updates. All objects are frozen.
 *
 * @example
 * ```ts
 * import { sampleUpdate, type SampleUpdate, type SampleUpdateOptions } from "oss-watcher/testing";
 * import assert from "node:assert/strict";
 *
 * const options: SampleUpdateOptions = { detail: { FQDN: "db-1.cloud.example.com", Owner: "bert" } };
 * const { detail, context }: SampleUpdate = sampleUpdate(options);
 *
 * assert.deepEqual([context.before.FQDN, detail.FQDN], ["web-1.cloud.example.com", "db-1.cloud.example.com"]);
 * assert.deepEqual(context.changed, ["FQDN", "Owner"]);
 * assert.equal(context.key, "server/00000001-debe-43ae-a555-28a4a5d84694/update/1");
 * ```
 */
export function sampleUpdate(options: SampleUpdateOptions = {}): SampleUpdate {
  const { server = 1, number = 1 } = options;
  const { detail: created, context } = sampleEvent({ server });
  const before: Detail = frozen({ ...created, ...options.before });
  const detail: Detail = frozen({ ...before, ...options.detail ?? changesOf(server) });
  return {
    detail,
    context: {
      ...context,
      kind: "update",
      sequence: 1 + number,
      key: `server/${serverIdOf(server)}/update/${number}`,
      eventType: "compute.instance.update",
      time: `2026-11-21T19:${String(number % 59).padStart(2, "0")}:01.000Z`,
      before,
      changed: Object.keys(detail).filter((key) => !isSame(before[key], detail[key])).sort(),
    },
  };
}

function changesOf(server: number): Partial<Detail> {
  const address = `10.0.1.${server}`;
  const mac = `fa:16:3e:00:01:${server.toString(16).padStart(2, "0")}`;
  return {
    FQDN: `db-${server}.cloud.example.com`,
    Owner: "bert",
    Metadata: { owner: "bert", application_name: "shop" },
    UserName: "operator",
    IP: address,
    MAC: mac,
    Addresses: [{ address, mac, type: "fixed", network: "private", version: 4 }],
  };
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
