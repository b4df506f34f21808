/**
 * A target that remembers what it was told, and notices what must not be.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Call } from "../../src/dispatch/call.ts";
import type { Detail } from "../../src/model/detail.ts";
import { changedKeys, type Following } from "../../src/model/following.ts";
import type { Delivery } from "../../src/model/ledger.ts";

export interface ReceiverOptions {
  readonly name: string;
  readonly following: Following;
  /** Whether messages came complete and in order: then no name has two servers. */
  readonly isOrderly: boolean;
}

export class Receiver {
  readonly name: string;
  /** The detail of each server that is there, as it was told last. */
  readonly told = new Map<string, Detail>();
  /** Servers of which an update became a dead letter after what was told last. */
  readonly outdated = new Set<string>();
  readonly #options: ReceiverOptions;
  readonly #gone = new Set<string>();
  readonly #lastSeq = new Map<string, number>();

  constructor(options: ReceiverOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /** Takes a call, or gives it up. */
  take(delivery: Delivery, call: Call, { isGivenUp }: { readonly isGivenUp: boolean }): void {
    const { key, serverId, subject, created, updated } = delivery.event;
    if (serverId === null) return;
    const what = `${this.name} ${key}`;
    assert.ok((this.#lastSeq.get(serverId) ?? 0) < delivery.seq, `${what}: after a later event of its server`);
    this.#lastSeq.set(serverId, delivery.seq);
    if (subject === "server" && created) assert.ok(!this.#gone.has(serverId), `${what}: after the deletion`);
    if (isGivenUp || call.method === "impossible") {
      if (updated) this.outdated.add(serverId);
      if (subject === "server" && !created) this.#gone.add(serverId);
      if (subject === "server" && !created) this.told.delete(serverId);
      return;
    }
    if (call.method === "none") {
      assert.ok(updated, `${what}: not told`);
      this.outdated.delete(serverId);
    } else if (call.method === "update") this.#update(what, serverId, call);
    else if (subject === "server" && created) this.#create(what, serverId, call.detail);
    else this.#isAsTold(what, { serverId, detail: call.detail, subject });
    if (subject === "server" && !created) {
      this.#gone.add(serverId);
      this.told.delete(serverId);
    }
  }

  #create(what: string, serverId: string, detail: Detail): void {
    assert.ok(!this.told.has(serverId), `${what}: told twice`);
    this.told.set(serverId, detail);
    if (!this.#options.isOrderly) return;
    const others = [...this.told].filter(([id]) => id !== serverId).map(([, { FQDN }]) => FQDN);
    assert.ok(!others.includes(detail.FQDN), `${what}: the name ${detail.FQDN} is not released yet`);
  }

  #update(
    what: string,
    serverId: string,
    { detail, before, changed }: Extract<Call, { readonly method: "update" }>,
  ): void {
    const told = this.told.get(serverId);
    assert.ok(told !== undefined, `${what}: before the creation`);
    assert.deepEqual(before, told, `${what}: before`);
    assert.ok(changed.length > 0, `${what}: nothing changed`);
    assert.deepEqual(changed, changedKeys(told, detail, this.#options.following), `${what}: changed`);
    this.told.set(serverId, detail);
    this.outdated.delete(serverId);
  }

  /** Deletions and associations carry the server as it was told; what was unknown then may be known now. */
  #isAsTold(
    what: string,
    { serverId, detail, subject }: {
      readonly serverId: string;
      readonly detail: Detail;
      readonly subject: "server" | "floatingip";
    },
  ): void {
    const told = this.told.get(serverId);
    if (told === undefined) return;
    const { tellsAssociations } = this.#options.following;
    for (const [key, value] of Object.entries(told)) {
      const isOwn = key === "FloatingIPs"
        ? subject === "floatingip" || tellsAssociations
        : subject === "floatingip" && /^(IP|IPType|MAC)$/.test(key);
      const isUnknown = value === null || typeof value === "object" && Object.keys(value as object).length === 0;
      if (!isOwn && !isUnknown) assert.deepEqual(detail[key], value, `${what}: ${key}`);
    }
  }
}
