import assert from "node:assert/strict";
import type { DeliveredEvent, ListedResource } from "../../mod.ts";
import type { ContractTest, PluginContract } from "./contract.ts";
import { hostileEvents } from "./hostile_tests.ts";
import { isUpdate, type SampleCall } from "./attempt.ts";
import { sampleEvent } from "./sample_event.ts";
import { sampleUpdate } from "./sample_update.ts";
import { discreet } from "./secrets.ts";
import { Stage, subjectsOf } from "./stage.ts";
import type { TargetHarness } from "./target_harness.ts";

/**
 * `list` and `expected` say the same of what was delivered. Passed without a look for a plugin that
 * has no `list`.
 */
export function listTests<Target extends TargetHarness>(contract: PluginContract<Target>): ContractTest[] {
  const { cannot = {}, foreign, secrets = [], updated } = contract;
  const actsOnServers = subjectsOf(contract).includes("server");
  const needsServers = actsOnServers ? {} : { skipped: "it does not act on servers" };
  const withStage = (run: (listing: Listing<Target>) => Promise<void>) => async () => {
    await using stage = await Stage.open(contract);
    if (stage.plugin.list !== undefined) await run(new Listing(stage));
  };
  return [
    {
      name: "list() tells of each server what expected() tells, from its creation to its deletion",
      ...needsServers,
      run: withStage(async (listing) => {
        const [server, other, association] = [
          sampleEvent(),
          sampleEvent({ server: 2 }),
          sampleEvent({ subject: "floatingip" }),
        ];
        const disassociation = sampleEvent({ subject: "floatingip", created: false });
        await listing.deliver(other);
        for (const event of [server, server, association, association, disassociation, association]) {
          await listing.deliver(event);
          await listing.assertAsExpected();
        }
        assert.ok(listing.expectedOf(server).length > 0, "expected() tells nothing of a server that was created");
        await listing.deliver(disassociation);
        await listing.deliver(sampleEvent({ created: false }));
        await listing.assertAsExpected();
        assert.deepEqual(listing.expectedOf(server), [], "expected() tells of a server that was deleted");
      }),
    },
    {
      name: "list() tells what expected() tells of a server that was updated, until it is deleted",
      ...needsServers,
      run: withStage(async (listing) => {
        if (listing.stage.plugin.update === undefined) return;
        const association = sampleEvent({ subject: "floatingip" });
        const first = sampleUpdate(updated === undefined ? {} : { detail: updated });
        const { detail: old } = sampleEvent();
        const back = sampleUpdate({
          ...{ number: 2, before: first.detail },
          detail: { ...old, FloatingIPs: association.detail.FloatingIPs },
        });
        await listing.deliver(sampleEvent());
        for (const event of [first, first, association, back, back]) {
          await listing.deliver(event);
          await listing.assertAsExpected();
        }
        assert.ok(listing.expectedOf(back).length > 0, "expected() tells nothing of a server that was updated");
        await listing.repair(back);
        await listing.repair(association);
        await listing.assertAsExpected();
        await listing.deliver(sampleEvent({ subject: "floatingip", created: false, detail: { FQDN: old.FQDN } }));
        await listing.deliver(sampleEvent({ created: false }));
        await listing.assertAsExpected();
        assert.deepEqual(listing.expectedOf(back), [], "expected() tells of a server that was deleted");
      }),
    },
    {
      name: "list() tells what expected() tells when a creation is delivered again to repair the target",
      ...needsServers,
      run: withStage(async (listing) => {
        const [server, association] = [sampleEvent(), sampleEvent({ subject: "floatingip" })];
        for (const event of [server, association]) await listing.deliver(event);
        const before = await listing.assertAsExpected();
        for (const event of [server, association]) await listing.repair(event);
        assert.deepEqual(await listing.assertAsExpected(), before);
      }),
    },
    {
      name: "list() tells what expected() tells when there are hostile texts, in fingerprints that do not show them",
      ...needsServers,
      run: withStage(async (listing) => {
        for (const { what, event } of hostileEvents(true)) {
          if (!what.endsWith("in names and metadata")) continue;
          const deletion = sampleEvent({ created: false, detail: { ID: event.detail.ID } });
          if (!await listing.tryDeliver(event)) continue;
          for (const { fingerprint } of await listing.assertAsExpected(what)) {
            assert.match(fingerprint, /^[\w+/=:.-]{1,200}$/, `${what}: the fingerprint is no hash`);
          }
          await listing.deliver(deletion);
        }
      }),
    },
    {
      name: "list() leaves out what is not ours",
      ...(foreign === undefined ? { skipped: "the contract has no `foreign`" } : {}),
      run: withStage(async (listing) => {
        const before = await listing.list();
        await foreign?.(listing.stage.target);
        assert.deepEqual(await listing.list(), before);
      }),
    },
    ...(["down", "unauthorized"] as const).map((behaviour): ContractTest => ({
      name: `list() rejects, telling no secret, when the target ${
        behaviour === "down" ? "is down" : "does not know us"
      }`,
      ...(cannot[behaviour] === undefined ? {} : { skipped: cannot[behaviour] }),
      run: withStage(async (listing) => {
        await listing.stage.target.behave(behaviour);
        await listing.stage.within(
          assert.rejects(listing.list(), (error: unknown) => {
            discreet({ error }, secrets);
            return true;
          }),
          "list() did not end",
        );
      }),
    })),
    {
      name: "list() ends when its signal is aborted, before it began or while the target hangs",
      ...(cannot.hangs === undefined ? {} : { skipped: cannot.hangs }),
      run: withStage(async (listing) => {
        const { stage } = listing;
        await stage.within(assert.rejects(listing.list(AbortSignal.abort())), "list() did not end");
        await stage.target.behave("hangs");
        const stop = new AbortController();
        const listed = assert.rejects(listing.list(stop.signal));
        await stage.within(Promise.race([stage.target.reached(), listed]), "nothing reached the target");
        stop.abort();
        await stage.within(listed, "list() did not end");
      }),
    },
  ];
}

/** What was delivered to a target, and what it lists. */
class Listing<Target extends TargetHarness> {
  readonly stage: Stage<Target>;
  readonly #delivered = new Map<string, DeliveredEvent[]>();
  #expected: ReadonlyMap<string, readonly ListedResource[]> = new Map();

  constructor(stage: Stage<Target>) {
    this.stage = stage;
  }

  async deliver(event: SampleCall): Promise<void> {
    await this.stage.succeed(event);
    this.#add(event);
  }

  /** The event is no new one. */
  async repair(event: SampleCall): Promise<void> {
    const changes = { attempt: 2, repair: true };
    await this.stage.succeed(
      isUpdate(event)
        ? { ...event, context: { ...event.context, ...changes } }
        : { ...event, context: { ...event.context, ...changes } },
    );
  }

  /** Whether the plugin accepts the event. */
  async tryDeliver(event: SampleCall): Promise<boolean> {
    const { outcome } = await this.stage.attempt(event);
    if (outcome === "done") this.#add(event);
    return outcome === "done";
  }

  /** The last update of a server stands where its creation was. */
  #add(event: SampleCall): void {
    const { detail, context: { key, subject } } = event;
    const id = detail.ID ?? "";
    const before = this.#delivered.get(id) ?? [];
    const delivered = { key, subject, created: isUpdate(event) || event.created, detail };
    const at = isUpdate(event) ? before.findIndex(({ subject }) => subject === "server") : -1;
    this.#delivered.set(id, at < 0 ? [...before, delivered] : before.with(at, delivered));
  }

  async list(signal: AbortSignal = new AbortController().signal): Promise<readonly ListedResource[]> {
    const listed: ListedResource[] = [];
    for await (const one of this.stage.plugin.list?.(signal) ?? []) listed.push(one);
    return sorted(listed);
  }

  /** Fails unless the target lists what is expected, and nothing else. */
  async assertAsExpected(what = ""): Promise<readonly ListedResource[]> {
    const { plugin } = this.stage;
    assert.ok(plugin.expected !== undefined, "a plugin with `list` needs `expected`");
    const expected = new Map<string, readonly ListedResource[]>();
    for (const [id, delivered] of this.#delivered) expected.set(id, await plugin.expected(delivered));
    this.#expected = expected;
    const listed = await this.stage.within(this.list(), "list() did not end");
    assert.deepEqual(listed, sorted([...expected.values()].flat()), what);
    return listed;
  }

  /** What was expected last of an event's server. */
  expectedOf({ detail }: SampleCall): readonly ListedResource[] {
    return this.#expected.get(detail.ID ?? "") ?? [];
  }
}

function sorted(listed: readonly ListedResource[]): readonly ListedResource[] {
  const nameOf = ({ subject, id }: ListedResource) => `${subject}/${id}`;
  return listed.toSorted((one, other) => nameOf(one) < nameOf(other) ? -1 : 1);
}
