/**
 * The cost of recognising an irrelevant message: parsing both JSON layers against looking at the
 * bytes. `deno run -A bench/classify.ts` prints medians over rounds, for the messages of the
 * captured mix that are ignored.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- figures on the terminal are what it is for

import { WATCHED_EVENT_TYPES } from "../src/facts/decide.ts";
import { isUnwanted } from "../src/intake/classify.ts";
import { readCapture } from "../tests/support/captures.ts";

const ROUNDS = 25;
const CAPTURES = ["unversioned.jsonl", "versioned.jsonl", "v1-no-envelope.jsonl"];

const utf8 = new TextDecoder("utf-8", { fatal: true });

function isUnwantedParsed(body: Uint8Array, wanted: ReadonlySet<string>): boolean {
  const outer = JSON.parse(utf8.decode(body));
  const message = "oslo.message" in outer ? JSON.parse(outer["oslo.message"]) : outer;
  return !wanted.has(message.event_type);
}

const WAYS = [
  { name: "both JSON layers parsed", isUnwanted: isUnwantedParsed },
  { name: "a look at the bytes", isUnwanted },
];

for (const name of CAPTURES) {
  const all = readCapture(name).map(({ body }) => new TextEncoder().encode(body));
  const ignored = all.filter((body) => isUnwantedParsed(body, WATCHED_EVENT_TYPES));
  const bytes = ignored.reduce((sum, { byteLength }) => sum + byteLength, 0) / ignored.length;
  console.log(
    `${name}: ${ignored.length} of ${all.length} messages are ignored, ${Math.round(bytes)} bytes on average`,
  );
  // Both take turns in every round, so that a busy machine affects both alike.
  const rounds = Array.from({ length: ROUNDS }, () => WAYS.map((way) => microsecondsEach(ignored, way.isUnwanted)));
  const medians = WAYS.map((_, index) => median(rounds.map((round) => round[index] as number)));
  WAYS.forEach(({ name }, index) => console.log(`  ${name.padEnd(24)} ${medians[index]?.toFixed(2).padStart(7)} µs`));
  console.log(`  ${((medians[0] as number) / (medians[1] as number)).toFixed(1)} times as fast`);
}

function microsecondsEach(
  bodies: readonly Uint8Array[],
  look: (body: Uint8Array, wanted: ReadonlySet<string>) => boolean,
): number {
  let found = 0;
  const start = performance.now();
  for (const body of bodies) if (look(body, WATCHED_EVENT_TYPES)) found++;
  const milliseconds = performance.now() - start;
  if (found !== bodies.length) throw new Error(`Cannot compare: ${found} of ${bodies.length} messages found`);
  return milliseconds * 1000 / bodies.length;
}

function median(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] as number;
}
