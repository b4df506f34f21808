import assert from "node:assert/strict";
import type { Detail } from "../../mod.ts";
import { textOf } from "./attempt.ts";
import { HOSTILE_TEXTS } from "./hostile_texts.ts";
import type { ContractTest, PluginContract } from "./contract.ts";
import { named } from "./named.ts";
import { type SampleEvent, sampleEvent } from "./sample_event.ts";
import { Stage, subjectsOf } from "./stage.ts";
import type { TargetHarness } from "./target_harness.ts";

/** An event with the hostile text in it. */
export interface HostileEvent {
  readonly what: string;
  readonly event: SampleEvent;
}

/**
 * Every hostile text, in all values that tenants choose, and in those that other services choose:
 * ids, addresses, the key.
 */
export function hostileEvents(created: boolean): HostileEvent[] {
  return Object.entries(HOSTILE_TEXTS).flatMap(([what, text], index) => {
    const options = { created, server: index + 1 };
    const { context, ...event } = sampleEvent({ ...options, detail: idsOf(text) });
    return [
      { what: `${what}, in names and metadata`, event: sampleEvent({ ...options, detail: namesOf(text) }) },
      {
        what: `${what}, in ids and addresses`,
        event: { ...event, context: { ...context, key: `server/${text}/${created}` } },
      },
    ];
  });
}

/**
 * A tenant's text stays a value: it is delivered unchanged or refused for good, without side
 * effects.
 */
export function hostileTests<Target extends TargetHarness>(contract: PluginContract<Target>): ContractTest[] {
  const places = ["in names and metadata", "in ids and addresses"];
  const skipped = subjectsOf(contract).includes("server") ? undefined : "it does not act on servers";
  return places.map((place) => ({
    name: `notify() is done or fails for good, and does nothing else, when there are hostile texts ${place}`,
    ...(skipped === undefined ? {} : { skipped }),
    run: async () => {
      await using stage = await Stage.open(contract);
      const deletions = hostileEvents(false);
      for (const [index, { what, event }] of hostileEvents(true).entries()) {
        const deletion = deletions[index]?.event;
        if (what.endsWith(place) && deletion !== undefined) await live(stage, { what, event, deletion, contract });
      }
      assert.equal(Object.keys(Object.prototype).length, 0, "Object.prototype was written to");
      await stage.succeed(sampleEvent({ server: 200 }));
      assert.equal((await stage.taken()).length, 1, "an ordinary event fails after hostile ones");
    },
  }));
}

/** A server of this name is created and deleted. */
async function live<Target extends TargetHarness>(
  stage: Stage<Target>,
  { what, event, deletion, contract }: HostileEvent & {
    readonly deletion: SampleEvent;
    readonly contract: PluginContract<Target>;
  },
): Promise<void> {
  for (const one of [event, deletion]) {
    const { outcome, error } = await stage.attempt(one);
    assert.notEqual(outcome, "retry", `${what}: it would be tried for days (${textOf(error)})`);
    const taken = await stage.taken();
    if (one.created) assert.equal(taken.length, outcome === "done" ? 1 : 0, `${what}: number of things taken`);
    else assert.ok(taken.length <= 1, `${what}: ${taken.length} things taken`);
    if (outcome === "done") named(what, () => taken.forEach((thing) => contract.assertTaken?.(thing, one)));
  }
}

/** A hostile text in all values that tenants choose. */
export function namesOf(text: string): Partial<Detail> {
  return {
    FQDN: text,
    OS: text,
    Owner: text,
    AdditionalUsers: [text, text],
    ApplicationName: text,
    EnvironmentCI: text,
    Description: text,
    ProjectName: text,
    UserName: text,
    // Parsed from JSON, like the real one: `__proto__` is an ordinary key.
    Metadata: JSON.parse(`{"__proto__":"polluted",${JSON.stringify(`${text} `)}:${JSON.stringify(text)}}`),
    ...JSON.parse(`{"__proto__":{"polluted":true}}`),
  };
}

function idsOf(text: string): Partial<Detail> {
  return {
    ID: text,
    IP: text,
    MAC: text,
    ImageID: text,
    ProjectID: text,
    UserID: text,
    RemoteAddress: text,
    CreationDate: text,
    Addresses: [{ address: text, mac: text, type: text, network: text, version: 4 }],
    FloatingIPs: [{ id: text, address: text, fixedAddress: text }],
  };
}
