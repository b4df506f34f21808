import assert from "node:assert/strict";
import { WATCHED_EVENT_TYPES } from "../../src/facts/decide.ts";
import type { Notification } from "../../src/model/notification.ts";
import { Story } from "../support/stories.ts";
import { type Operation, OPERATIONS } from "./operations.ts";

const DOCUMENT = new URL("../../docs/NOTIFICATIONS.md", import.meta.url);

for (const operation of OPERATIONS) {
  const { name, releases, unversioned = [], versioned = [], neutron = [] } = operation;
  const versionedAlone = operation.announcedVersioned ?? operation.announced;
  const row = releases === undefined ? name : `${name} (${releases})`;

  Deno.test(`decide() concludes what docs/NOTIFICATIONS.md says of "${row}"`, () => {
    assert.deepEqual(announced(operation, [...neutron, ...unversioned]), operation.announced, "unversioned");
    assert.deepEqual(announced(operation, [...neutron, ...versioned, ...unversioned]), operation.announced, "both");
    assert.deepEqual(announced(operation, [...neutron, ...versioned]), versionedAlone, "versioned");
    // Nova's and Neutron's messages come in any order.
    const later = announced(operation, [...unversioned, ...neutron]).toSorted();
    assert.deepEqual(later, operation.announced.toSorted(), "Neutron later");
  });
}

Deno.test("docs/NOTIFICATIONS.md has the table of operations", () => {
  const table = [HEAD, ...OPERATIONS.map(rowOf)].join("\n");
  const document = Deno.readTextFileSync(DOCUMENT);
  if (Deno.env.has("UPDATE_SNAPSHOTS")) {
    Deno.writeTextFileSync(DOCUMENT, document.replace(/\| operation[^]*?\n(?=\n)/, `${table}\n`));
  } else assert.ok(document.includes(`${table}\n`), "the table differs; UPDATE_SNAPSHOTS=1 writes it anew");
});

Deno.test("the table of operations has every event type that is watched", () => {
  const published = new Set(
    OPERATIONS.flatMap(({ unversioned = [], versioned = [], neutron = [] }) =>
      [...unversioned, ...versioned, ...neutron].map(({ eventType }) => eventType)
    ),
  );
  assert.deepEqual([...WATCHED_EVENT_TYPES].filter((type) => !published.has(type)), []);
});

const HEAD = `| operation | releases | Nova, unversioned | Nova, versioned | Neutron | announced |
|---|---|---|---|---|---|`;

function announced({ before = [] }: Operation, notifications: readonly Notification[]): string[] {
  const story = new Story();
  for (const one of before) story.tell(one);
  return notifications.flatMap((one) => story.keys(one));
}

function rowOf({ name, releases, unversioned, versioned, versionedSince, neutron, ...rest }: Operation): string {
  const since = versionedSince === undefined ? "" : `, since ${versionedSince}`;
  const differs = rest.announcedVersioned;
  const conclusion = said(rest.announced) + (differs === undefined ? "" : `; versioned alone: ${said(differs)}`);
  const cells = [name, releases ?? "all", types(unversioned), types(versioned) + since, types(neutron), conclusion];
  return `| ${cells.join(" | ")} |`;
}

function types(notifications: readonly Notification[] = []): string {
  const who = (one: Notification) => one.publisherId === "compute.ctl-1" ? " of nova-api" : "";
  return notifications.map((one) => `\`${one.eventType}\`${who(one)}`).join(", ") || "-";
}

const MEANINGS = [
  [/^server.*creation/, "server came"],
  [/^server.*deletion/, "server went"],
  [/^floatingip.*creation/, "association began"],
  [/^floatingip.*deletion/, "association ended"],
] as const;

function said(keys: readonly string[]): string {
  return keys.map((key) => MEANINGS.find(([pattern]) => pattern.test(key))?.[1]).join(", ") || "nothing";
}
