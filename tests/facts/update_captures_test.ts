import assert from "node:assert/strict";
import { decodeBody } from "../../src/intake/envelope.ts";
import type { Config } from "../../src/model/config.ts";
import { OPTIONAL_KEYS } from "../../src/model/detail.ts";
import { DryRun, type DryRunEvent, type DryRunResult } from "../../src/runtime/dry_run.ts";
import { mergeByTime, readCapture } from "../support/captures.ts";
import { SILENT } from "../support/loggers.ts";
import { EXPECTED, EXPECTED_V1 } from "./expected_events.ts";
import { ALL, type ExpectedUpdate, OPTIONAL } from "./expected_updates.ts";

const CONFIG: Config = {
  events: {
    creation: ["compute.instance.create.end", "floatingip.update.end"],
    deletion: ["compute.instance.delete.end", "floatingip.update.end"],
  },
  plugins: [],
};

/** What a dry run of a capture tells, in order. */
async function toldOf(capture: string, update: readonly string[] | "all"): Promise<DryRunEvent[]> {
  const config: Config = { ...CONFIG, events: { ...CONFIG.events, update } };
  const dryRun = new DryRun({ config, plugins: new Map(), log: () => SILENT });
  const results: DryRunResult[] = [];
  const lines = capture === "both"
    ? mergeByTime(readCapture("unversioned.jsonl"), readCapture("versioned.jsonl"))
    : readCapture(capture);
  for (const { body } of lines) {
    const decoded = decodeBody(new TextEncoder().encode(body));
    assert.ok("notification" in decoded);
    const { notification } = decoded;
    if (notification.time !== null) results.push(...await dryRun.settle(Date.parse(notification.time)));
    results.push(await dryRun.take(notification));
  }
  results.push(...await dryRun.settle(Infinity));
  return results.flatMap(({ events }) => events);
}

function updatesOf(events: readonly DryRunEvent[]): Omit<ExpectedUpdate, "step">[] {
  return events.flatMap(({ key, detail, before, changed }) =>
    before === undefined ? [] : [{
      key,
      changed: Object.fromEntries((changed ?? []).map((name) => [name, [before[name], detail[name]]])),
    }]
  );
}

for (
  const [update, expected] of [["all", ALL], [OPTIONAL_KEYS, OPTIONAL]] as const
) {
  for (const [capture, updates] of Object.entries(expected)) {
    const which = update === "all" ? "all keys" : "the optional keys";
    Deno.test(`updates of ${which} on ${capture} are exactly those written by hand`, async () => {
      const told = updatesOf(await toldOf(capture, update));
      assert.deepEqual(told, updates.map(({ key, changed }) => ({ key, changed })));
    });
  }
}

Deno.test("updates change no other event, but for what it says of the server", async () => {
  for (const [capture, events] of [["both", EXPECTED], ["v1-no-envelope.jsonl", EXPECTED_V1]] as const) {
    const told = (await toldOf(capture, "all")).filter(({ before }) => before === undefined);
    assert.deepEqual(told.map(({ key }) => key), events.map(({ key }) => key));
  }
});

Deno.test("deletions carry the server as it was last told", async () => {
  const [last, known] = [new Map<unknown, DryRunEvent["detail"]>(), new Set<string>()];
  for (const { key, created, detail } of await toldOf("both", "all")) {
    if (!key.startsWith("server/")) continue;
    if (created) last.set(detail.ID, detail);
    else if (last.has(detail.ID)) {
      const { FloatingIPs: _, ...told } = last.get(detail.ID)!;
      for (const [name, value] of Object.entries(told)) {
        if (value !== null && Object.keys(value as object).length > 0) {
          assert.deepEqual(detail[name], value, `${key} ${name}`);
        }
      }
      known.add(key);
    }
  }
  // Not those that were never built.
  assert.equal(
    known.size,
    EXPECTED.filter(({ key, creationSeen }) => /^server.*deletion$/.test(key) && creationSeen).length,
  );
});
