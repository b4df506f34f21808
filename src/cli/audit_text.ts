import type { AuditedTarget } from "../inspect/audit/audit_target.ts";
import type { Difference, NotJudged } from "../inspect/audit/compare.ts";
import { printable } from "../wire/escaping/printable.ts";
import { coloured, type Terminal } from "./terminal.ts";
import { WIDTH, wrapped } from "./wrapped.ts";

/** The most differences of one plugin that a terminal gets. */
const SHOWN = 50;

const MARKS = { missing: "+", orphaned: "-", different: "~" } as const;
const COLOURS = { missing: "green", orphaned: "red", different: "yellow" } as const;

const LEFT = `What deliveries cannot repair is left as it is; docs/OPERATIONS.md says what to
do: "A target was changed by hand".`;

type Audited = Extract<AuditedTarget, { readonly outcome: "audited" }>;

/** The differences of each target, with counts, for a terminal. */
export function describeAudit(audited: readonly AuditedTarget[], terminal: Terminal): string {
  const found = audited.filter((target) => target.outcome === "audited");
  const differences = found.flatMap((target) => target.differences);
  const isLeft = found.some((target) => target.repair === null && target.differences.some(isRepairable));
  return [
    ...audited.flatMap((target) => describeTarget(target, terminal)),
    ...isLeft ? ["", "Nothing was changed: --apply repairs what can be delivered again."] : [],
    ...differences.every(isRepairable) ? [] : ["", LEFT],
  ].join("\n");
}

function describeTarget(target: AuditedTarget, terminal: Terminal): readonly string[] {
  const plugin = printable(target.plugin);
  if (target.outcome === "not listed") return wrapped(`${plugin}: not listed: ${target.reason}`, { indent: 2 });
  if (target.outcome === "failed") return wrapped(`${plugin}: failed: ${printable(target.error)}`, { indent: 2 });
  const { held, asDelivered, differences } = target;
  const count = (kind: Difference["kind"]) => differences.filter((one) => one.kind === kind).length;
  const more = differences.length - SHOWN;
  return [
    ...wrapped(
      `${plugin}: holds ${held}, as delivered ${asDelivered}, missing ${count("missing")}, ` +
        `orphaned ${count("orphaned")}, different ${count("different")}`,
      { indent: 2 },
    ),
    ...differences.slice(0, SHOWN).flatMap((one) => describeDifference(one, terminal)),
    ...more > 0 ? [`  and ${more} more; --json has all`] : [],
    ...describeNotJudged(target),
    ...describeRepair(target),
  ];
}

function describeDifference(difference: Difference, terminal: Terminal): readonly string[] {
  const { kind, subject, id, key, name, address, reason } = difference;
  const words = [`${MARKS[kind]} ${key ?? `${subject} ${id}`}`, name, address].filter((word) => word !== null);
  const state = isRepairable(difference) || kind === "missing" ? reason : `${reason}; deliveries cannot repair it`;
  return [
    coloured(printable(`  ${words.join("  ")}`, terminal.width ?? WIDTH), COLOURS[kind], terminal),
    ...wrapped(`      ${kind}: ${state}`, { indent: 6 }),
  ];
}

function isRepairable({ repair }: Difference): boolean {
  return repair.length > 0;
}

/** What each reason means for an operator. */
const NOT_JUDGED: Readonly<Record<keyof NotJudged, string>> = {
  "unfinished": "whose deliveries wait",
  "given up": "with a dead or dropped delivery",
  "changing": "delivered meanwhile",
  "unknown": "whose creation the ledger does not have",
  "failing": "of which the plugin cannot tell what it would write",
};

function describeNotJudged({ notJudged, error }: Audited): readonly string[] {
  const counts = Object.entries(NOT_JUDGED).flatMap(([reason, text]) => {
    const count = notJudged[reason as keyof NotJudged];
    return count === 0 ? [] : [`${count} ${text}`];
  });
  if (counts.length === 0) return [];
  const why = error === null ? "" : `: ${printable(error, 200)}`;
  return wrapped(`  not judged: ${counts.join(", ")}${why}`, { indent: 4 });
}

function describeRepair({ repair }: Audited): readonly string[] {
  if (repair === null) return [];
  const refused = repair.redelivered.filter((one) => one.refused !== null);
  const begun = repair.redelivered.length - refused.length;
  return [
    ...refused.flatMap(({ key, refused: why }) => [
      `  not delivered again: ${printable(key)}`,
      ...wrapped(`    ${printable(why ?? "")}`, { indent: 4 }),
    ]),
    `  the service delivers again: ${begun} ${begun === 1 ? "event" : "events"}, ${refused.length} refused`,
  ];
}

/** The audit as JSON: docs/OPERATIONS.md describes it. */
export function jsonOfAudit(audited: readonly AuditedTarget[]): unknown {
  return {
    plugins: audited.map((target) => {
      if (target.outcome !== "audited") return target;
      const { plugin, outcome, held, asDelivered, notJudged, error, repair } = target;
      const differences = target.differences.map(({ repair, ...one }) => ({ ...one, repairable: repair.length > 0 }));
      const { unfinished, changing, unknown, failing } = notJudged;
      return {
        plugin,
        outcome,
        held,
        asDelivered,
        differences,
        notJudged: { unfinished, givenUp: notJudged["given up"], changing, unknown, failing },
        error,
        redelivered: repair?.redelivered.map(({ key, refused }) => ({ key, refused })) ?? null,
      };
    }),
  };
}
