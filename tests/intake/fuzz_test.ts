import assert from "node:assert/strict";
import { deflateSync } from "node:zlib";
import { makeDetail } from "../../src/detail/make_detail.ts";
import { decide, WATCHED_EVENT_TYPES } from "../../src/facts/decide.ts";
import { admit } from "../../src/intake/admit.ts";
import { RamMemory } from "../../src/ledger/ram/memory.ts";
import type { Detail } from "../../src/model/detail.ts";
import type { WatcherEvent } from "../../src/model/event.ts";
import type { Notification } from "../../src/model/notification.ts";
import { BZIP2_SAMPLE } from "../support/bzip2.ts";
import { readCapture } from "../support/captures.ts";
import { Mutator } from "../support/mutator.ts";
import { SeededRandom } from "../support/random.ts";
import { EVERYTHING } from "../support/rules.ts";

const MESSAGES = 100_000;
/** bzip2 is slow: of so many, each with a compressed body of its own. */
const BZIP2_MESSAGES = 250;

Deno.test("admit(), decide() and makeDetail() take any mutation of a real message, or say why not", () => {
  const seed = Number(Deno.env.get("FUZZ_SEED") ?? 20261121);
  const random = new SeededRandom(seed);
  const mutator = new Mutator(random, bodies());
  const counts = { ignored: 0, refused: 0, admitted: 0, events: 0 };
  let memory = new RamMemory();
  for (let number = 0; number < MESSAGES; number++) {
    const message = number % (MESSAGES / BZIP2_MESSAGES) === 0
      ? { body: mutator.mutateBytes(BZIP2_SAMPLE), compression: "application/x-bz2" }
      : zlibOrPlain(mutator.next(), random, mutator);
    // A fresh memory now and then: without it all that can be known is known soon.
    if (number % 500 === 0) memory = new RamMemory();
    try {
      const admission = admit(message, WATCHED_EVENT_TYPES);
      assert.equal(["ignored", "refused", "notification"].filter((key) => key in admission).length, 1);
      if ("ignored" in admission) counts.ignored++;
      else if ("refused" in admission) {
        assert.notEqual(admission.refused.trim(), "");
        counts.refused++;
      } else {
        counts.admitted++;
        counts.events += follow(admission.notification, memory);
      }
    } catch (error) {
      const body = new TextDecoder().decode(message.body).slice(0, 2000);
      throw new Error(`FUZZ_SEED=${seed}, message ${number}, ${message.compression}: ${body}`, { cause: error });
    }
  }
  // A fuzzer that breaks everything, or nothing, tests nothing.
  assert.ok(Math.min(...Object.values(counts)) > MESSAGES / 50, JSON.stringify(counts));
});

/** The way of an admitted notification to its details; how many events there were. */
function follow(notification: Notification, memory: RamMemory): number {
  // The ledger stores both as JSON.
  JSON.stringify(notification);
  const { outcome, reason, events, changes } = decide(notification, memory, EVERYTHING);
  assert.notEqual(reason, "");
  assert.equal(outcome === "event", events.length > 0);
  memory.apply(JSON.parse(JSON.stringify(changes)));
  for (const event of events) {
    checkEvent(event);
    const { detail, failed } = makeDetail(event, { domain: "example.com" });
    assert.equal(failed.length, 0);
    checkDetail(JSON.parse(JSON.stringify(detail)));
  }
  return events.length;
}

function checkEvent({ key, time, orderKeys }: WatcherEvent): void {
  assert.match(key, /^(server\/.+|floatingip\/.+\/[1-9]\d*)\/(creation|deletion)$/s);
  assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.ok(orderKeys.length > 0 && new Set(orderKeys).size === orderKeys.length);
}

const KINDS: Readonly<Record<string, (value: unknown) => boolean>> = {
  FQDN: isTextOrNull,
  IP: isTextOrNull,
  IPType: (value) => value === null || value === "Public" || value === "Private",
  OS: isTextOrNull,
  Storage: isNumberOrNull,
  Ram: isNumberOrNull,
  CPU: isNumberOrNull,
  Datacenter: isTextOrNull,
  SecurityDomain: isTextOrNull,
  Owner: isTextOrNull,
  AdditionalUsers: (value) => Array.isArray(value) && value.every((user) => typeof user === "string" && user !== ""),
  ApplicationName: isTextOrNull,
  EnvironmentCI: isTextOrNull,
  Description: isTextOrNull,
  CreationDate: (value) => value === null || (typeof value === "string" && /^\d{4}-\d\d-\d\d$/.test(value)),
  ID: isTextOrNull,
  ImageID: isTextOrNull,
  MAC: isTextOrNull,
  ProjectID: isTextOrNull,
  ProjectName: isTextOrNull,
  UserID: isTextOrNull,
  UserName: isTextOrNull,
  RemoteAddress: isTextOrNull,
  Metadata: (value) => Object.values(value as object).every((one) => typeof one === "string"),
  Addresses: (value) => Array.isArray(value) && value.every(({ address }) => typeof address === "string"),
  FloatingIPs: (value) => Array.isArray(value) && value.every(({ address }) => typeof address === "string"),
};

function checkDetail(detail: Detail): void {
  assert.equal(Object.keys(detail).join(), Object.keys(KINDS).join());
  for (const [key, isOfKind] of Object.entries(KINDS)) {
    if (!isOfKind(detail[key])) assert.fail(`${key}: ${JSON.stringify(detail[key])}`);
  }
}

function isTextOrNull(value: unknown): boolean {
  return value === null || (typeof value === "string" && value !== "");
}

function isNumberOrNull(value: unknown): boolean {
  return value === null || (typeof value === "number" && Number.isFinite(value));
}

function zlibOrPlain(body: Uint8Array, random: SeededRandom, mutator: Mutator) {
  if (!random.chance(0.1)) return { body, compression: null };
  const deflated = deflateSync(body, { level: 1 });
  return { body: random.chance(0.3) ? mutator.mutateBytes(deflated) : deflated, compression: "application/x-gzip" };
}

/** Of what is watched each message, of the rest a few. */
function bodies(): string[] {
  const lines = ["unversioned.jsonl", "versioned.jsonl", "v1-no-envelope.jsonl"].flatMap((name) => readCapture(name));
  const watched = lines.filter(({ body }) => [...WATCHED_EVENT_TYPES].some((type) => body.includes(type)));
  return [...watched, ...lines.slice(0, 60)].map(({ body }) => body);
}
