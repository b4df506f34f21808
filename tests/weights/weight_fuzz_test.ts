import assert from "node:assert/strict";
import { decodeBody } from "../../src/intake/envelope.ts";
import { WATCHED_EVENT_TYPES } from "../../src/facts/decide.ts";
import { readCapture } from "../support/captures.ts";
import { cpuMs } from "../support/cpu.ts";
import { SILENT } from "../support/loggers.ts";
import { Multiplier } from "../support/multiplier.ts";
import { SeededRandom } from "../support/random.ts";
import { WeighedService } from "../support/weighed_service.ts";

/** Histories of so many messages, each history about a ledger of its own. */
const HISTORIES = 6;
const MESSAGES = 20;
/** What any message of at most 1 MiB may cost. */
const MOST_CPU_MS = 1000;
const MOST_MB = 20;
/** A machine that is busy makes processors slower, too, and code that runs for the first time is compiled: the best of so many runs counts. */
const TRIES = 4;

const SEED = Number(Deno.env.get("FUZZ_SEED") ?? 20261129);

for (let history = 0; history < HISTORIES; history++) {
  Deno.test(`no message of at most 1 MiB costs more than any may, whatever of it is multiplied: history ${history}`, async () => {
    let over: readonly string[] = ["it was not weighed"];
    for (let tries = 0; tries < TRIES && over.length > 0; tries++) over = await overBudget(SEED + history);
    assert.deepEqual(over, [], `FUZZ_SEED=${SEED}`);
  });
}

/** What of a history costs too much. */
async function overBudget(seed: number): Promise<readonly string[]> {
  const multiplier = new Multiplier(new SeededRandom(seed), watched());
  await using service = new WeighedService(SILENT);
  // What is real comes first: that is what can be multiplied.
  await service.take(watchedBodies().map((body) => ({ body, compression: null })));
  const before = service.intake.counts.recorded;
  const over: string[] = [];
  for (let number = 0; number < MESSAGES; number++) {
    const body = multiplier.next();
    const [size, cpu] = [service.size(), cpuMs()];
    await service.take([{ body, compression: null }]);
    const [spent, mb] = [cpuMs() - cpu, (service.size() - size) / 1e6];
    if (spent > MOST_CPU_MS) over.push(`message ${number}: ${Math.round(spent)} ms of processor time`);
    if (mb > MOST_MB) over.push(`message ${number}: ${mb} MB of ledger`);
  }
  // A message that is refused as a whole tests little.
  assert.ok(service.intake.counts.recorded - before > MESSAGES / 2, JSON.stringify(service.intake.counts));
  return over;
}

function watchedBodies(): Uint8Array<ArrayBuffer>[] {
  const lines = ["unversioned.jsonl", "versioned.jsonl"].flatMap((name) => readCapture(name));
  const encoder = new TextEncoder();
  return lines.map(({ body }) => encoder.encode(body)).filter((body) => {
    const decoded = decodeBody(body);
    return "notification" in decoded && WATCHED_EVENT_TYPES.has(decoded.notification.eventType);
  });
}

function watched(): string[] {
  const decoder = new TextDecoder();
  return watchedBodies().map((body) => JSON.parse(decoder.decode(body))["oslo.message"]);
}
