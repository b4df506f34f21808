import assert from "node:assert/strict";
import fc from "fast-check";
import { makeDetail } from "../../src/detail/make_detail.ts";
import type { WatcherEvent } from "../../src/model/event.ts";
import type { Notification } from "../../src/model/notification.ts";
import { eventsOf, watched } from "../support/captured_events.ts";
import { mergeByTime, readCapture } from "../support/captures.ts";
import { EXPECTED, EXPECTED_V1, type ExpectedEvent } from "./expected_events.ts";

Deno.test("decide() on the captured run gives exactly the events written by hand", () => {
  assert.deepEqual(told(eventsOf(watched(RUN))), expected(EXPECTED));
});

Deno.test("decide() on the captured run without envelopes gives exactly the events written by hand", () => {
  assert.deepEqual(told(eventsOf(watched(RUN_V1))), expected(EXPECTED_V1));
});

Deno.test("decide() needs one of the two formats only", () => {
  for (const one of ["compute.instance.", "instance."]) {
    const other = one === "instance." ? "compute.instance." : "instance.";
    const messages = watched(RUN).filter(({ eventType }) => !eventType.startsWith(other));
    assert.deepEqual(told(eventsOf(messages)), expected(EXPECTED), one);
  }
});

Deno.test("decide() on every message twice, copies under other message ids included, gives each event once", () => {
  const twice = watched(RUN).flatMap((one) => [one, { ...one, messageId: `${one.messageId}-again` }]);
  assert.deepEqual(told(eventsOf(twice)), expected(EXPECTED));
});

Deno.test("decide() gives a server's events whatever unrelated servers' messages come between", () => {
  const parts = Object.values(Object.groupBy(watched(RUN), partOf)).map((part) => part as Notification[]);
  const want = new Set(told(eventsOf(watched(RUN))).map((event) => JSON.stringify(event)));
  fc.assert(
    fc.property(fc.infiniteStream(fc.nat()), (picks) => {
      const events = eventsOf(shuffledTogether(parts, picks));
      const got = new Set(told(events).map((event) => JSON.stringify(event)));
      assert.deepEqual(got, want);
    }),
    { numRuns: 30 },
  );
});

Deno.test("decide() makes each deletion carry what its creation carried", () => {
  const events = eventsOf(watched(RUN));
  const details = new Map(events.map((event) => [event.key, makeDetail(event).detail]));
  for (const { key, created, subject, creationSeen } of events) {
    if (created || subject !== "server" || !creationSeen) continue;
    const came = details.get(key.replace("/deletion", "/creation"));
    const went = details.get(key);
    for (
      const name of [
        "FQDN",
        "IP",
        "IPType",
        "MAC",
        "Addresses",
        "ID",
        "ProjectID",
        "UserID",
        "UserName",
        "CreationDate",
      ]
    ) {
      assert.deepEqual(went?.[name], came?.[name], `${key} ${name}`);
    }
  }
});

const RUN = mergeByTime(
  readCapture("unversioned.jsonl"),
  readCapture("versioned.jsonl"),
  readCapture("monitoring.jsonl"),
);
const RUN_V1 = readCapture("v1-no-envelope.jsonl");

function told(events: readonly WatcherEvent[]) {
  return events.map((event) => {
    const { IP } = makeDetail(event).detail;
    return { key: event.key, ip: IP, server: event.server.id, creationSeen: event.creationSeen };
  });
}

function expected(events: readonly ExpectedEvent[]) {
  return events.map(({ key, ip, server, creationSeen }) => ({ key, ip, server, creationSeen }));
}

/** Servers that a floating IP moved between belong together; all others are parts of their own. */
function partOf({ payload, eventType }: Notification): string {
  const text = JSON.stringify(payload);
  if (eventType.startsWith("floatingip.")) return "floating";
  return FLOATING_SERVERS.find((id) => text.includes(id)) === undefined ? serverIn(text) : "floating";
}

const FLOATING_SERVERS = EXPECTED.filter(({ key }) => key.startsWith("floatingip/")).flatMap(({ server }) =>
  server ?? []
)
  // Ports that floating IPs were on without a server, or after their server.
  .concat("1f079541-b82a-4406-9519-caf585454426", "693a8274");

function serverIn(text: string): string {
  return EXPECTED.find(({ server }) => server !== null && text.includes(server))?.server ?? "others";
}

function shuffledTogether(parts: readonly (readonly Notification[])[], picks: Iterator<number>): Notification[] {
  const rest = parts.map((part) => [...part]);
  const mixed: Notification[] = [];
  for (let live = rest; live.length > 0; live = live.filter((part) => part.length > 0)) {
    const part = live[(picks.next().value as number) % live.length];
    mixed.push(part?.shift() as Notification);
  }
  return mixed;
}
