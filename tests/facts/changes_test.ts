import assert from "node:assert/strict";
import { makeDetail } from "../../src/detail/make_detail.ts";
import { watchedEventTypes } from "../../src/facts/decide.ts";
import { updateOf } from "../../src/facts/update.ts";
import { type Detail, OPTIONAL_KEYS } from "../../src/model/detail.ts";
import { changedKeys } from "../../src/model/following.ts";
import type { Notification } from "../../src/model/notification.ts";
import { Story } from "../support/stories.ts";
import { OPERATIONS } from "./operations.ts";
import { type Change, CHANGES, CREATION } from "./changes.ts";

const DOCUMENT = new URL("../../docs/NOTIFICATIONS.md", import.meta.url);
type Format = "unversioned" | "versioned";

for (const change of CHANGES) {
  const { name, keys, unversionedKeys = keys, versionedKeys = keys } = change;
  Deno.test(`an update tells what docs/NOTIFICATIONS.md says of "${name}"`, () => {
    assert.deepEqual(told(change, ["unversioned"]), unversionedKeys, "unversioned");
    assert.deepEqual(told(change, ["versioned"]), versionedKeys, "versioned");
    assert.deepEqual(told(change, ["unversioned", "versioned"]), keys, "both");
    assert.deepEqual(told(change, ["versioned", "unversioned"]), keys, "both, the newer format first");
  });
}

Deno.test("docs/NOTIFICATIONS.md has the table of changes", () => {
  const table = [HEAD, ...CHANGES.map(rowOf)].join("\n");
  const document = Deno.readTextFileSync(DOCUMENT);
  if (Deno.env.has("UPDATE_SNAPSHOTS")) {
    Deno.writeTextFileSync(DOCUMENT, document.replace(/\| change[^]*?\n(?=\n)/, `${table}\n`));
  } else assert.ok(document.includes(`${table}\n`), "the table differs; UPDATE_SNAPSHOTS=1 writes it anew");
});

Deno.test("the tables of operations and changes have every event type that is followed", () => {
  const published = new Set(
    [...OPERATIONS, ...CHANGES].flatMap(({ unversioned = [], versioned = [], neutron = [] }) =>
      [...unversioned, ...versioned, ...neutron].map(({ eventType }) => eventType)
    ),
  );
  assert.deepEqual([...watchedEventTypes({ follows: true })].filter((type) => !published.has(type)), []);
});

const HEAD =
  `| change | Nova, unversioned | Nova, versioned | Neutron | keys of the detail | without \`notify_on_state_change\` |
|---|---|---|---|---|---|`;

/** The keys that change of the detail, as memory has it before and after. */
function told(change: Change, formats: readonly Format[], isHeard = (_: Notification) => true): readonly string[] {
  const story = new Story({ follows: true, optional: new Set(OPTIONAL_KEYS) });
  const { before = [], neutron = [] } = change;
  for (const one of [CREATION.neutron, ...formats.map((format) => CREATION[format]), ...ofFormats(before, formats)]) {
    story.tell(one);
  }
  const earlier = detailOf(story);
  for (const one of [...formats.flatMap((format) => change[format] ?? []), ...neutron].filter(isHeard)) story.tell(one);
  return changedKeys(earlier, detailOf(story), { keys: "all", tellsAssociations: false });
}

function ofFormats(notifications: readonly Notification[], formats: readonly Format[]): readonly Notification[] {
  const formatOf = ({ eventType }: Notification): Format | null =>
    eventType.startsWith("compute.") ? "unversioned" : eventType.startsWith("instance.") ? "versioned" : null;
  return notifications.filter((one) => formatOf(one) === null || formats.includes(formatOf(one)!));
}

function detailOf({ memory }: Story): Detail {
  const cause = { messageId: "", eventType: "", time: "", origin: "bus" as const };
  const settled = { server: memory.server("a")!, floatingIps: memory.floatingIpsOfServer("a"), cause };
  return makeDetail(updateOf(settled, {}).event, { optional: OPTIONAL_KEYS }).detail;
}

function rowOf(change: Change): string {
  const { name, releases, unversioned, versioned, neutron, keys, unversionedKeys, versionedKeys } = change;
  const alone = [
    ...unversionedKeys === undefined ? [] : [`unversioned alone: ${listed(unversionedKeys)}`],
    ...versionedKeys === undefined ? [] : [`versioned alone: ${listed(versionedKeys)}`],
  ];
  const isHeard = ({ eventType }: Notification) => !/^(compute\.)?instance\.update$/.test(eventType);
  const silent = told(change, ["unversioned", "versioned"], isHeard);
  const cells = [
    releases === undefined ? name : `${name} (${releases})`,
    types(unversioned),
    types(versioned),
    types(neutron),
    [listed(keys), ...alone].join("; "),
    String(silent) === String(keys) ? "the same" : listed(silent),
  ];
  return `| ${cells.join(" | ")} |`;
}

function types(notifications: readonly Notification[] = []): string {
  return notifications.map(({ eventType }) => `\`${eventType}\``).join(", ") || "-";
}

function listed(keys: readonly string[]): string {
  return keys.map((key) => `\`${key}\``).join(", ") || "nothing";
}
