import assert from "node:assert/strict";
import fc from "fast-check";
import { makeDetail } from "../../src/detail/make_detail.ts";
import type { WatcherEvent } from "../../src/model/event.ts";
import type { Json, JsonObject } from "../../src/model/notification.ts";
import { eventsOf, watched, withoutEnvelope } from "../support/captured_events.ts";
import { mergeByTime, readCapture } from "../support/captures.ts";

Deno.test("decide() and makeDetail() take payloads of newer minor versions for what they take the known ones", () => {
  fc.assert(
    fc.property(fc.array(NEWS, { minLength: 1, maxLength: 3 }), fc.integer({ min: 1, max: 99 }), (news, minor) => {
      const newer = RUN.map((body) => JSON.stringify(renewed(JSON.parse(body), { news, minor })));
      assert.deepEqual(told(newer), OLD);
    }),
    { numRuns: 10 },
  );
});

Deno.test("newer payloads differ from the known ones in every watched message", () => {
  const newer = RUN.map((body) => JSON.stringify(renewed(JSON.parse(body), { news: [["new_key", 1]], minor: 3 })));
  assert.ok(newer.every((body, index) => body !== RUN[index] && body.includes("new_key")));
  assert.ok(newer.some((body) => /"nova_object.version":"1\.\d\d/.test(body)));
});

/** A key that no release has yet, and anything at all under it. */
const NEWS = fc.tuple(fc.stringMatching(/^new_[a-z_.]{1,12}$/), fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Json>);

/** Both formats, without what is not watched: it is never parsed. */
const RUN = mergeByTime(readCapture("unversioned.jsonl"), readCapture("versioned.jsonl"))
  .map(({ body }) => withoutEnvelope(body))
  .filter((body) => watched([{ body }]).length > 0);
const OLD = told(RUN);

function told(bodies: readonly string[]) {
  const events: readonly WatcherEvent[] = eventsOf(watched(bodies.map((body) => ({ body }))));
  return events.map((event) => ({ key: event.key, orderKeys: event.orderKeys, detail: makeDetail(event).detail }));
}

/** The message with unknown keys in each of its objects, and the minor versions of Nova's objects raised. */
function renewed(
  value: Json,
  { news, minor }: { readonly news: readonly (readonly [string, Json])[]; readonly minor: number },
): Json {
  if (Array.isArray(value)) return value.map((one) => renewed(one, { news, minor }));
  if (typeof value !== "object" || value === null) return value;
  const own = Object.entries(value as JsonObject).map(([key, one]): readonly [string, Json] => {
    // Metadata is the user's own, key by key.
    if (key === "metadata") return [key, one];
    if (key === "nova_object.version") return [key, String(one).replace(/\d+$/, (old) => String(Number(old) + minor))];
    return [key, renewed(one, { news, minor })];
  });
  return Object.fromEntries([...news, ...own]);
}
