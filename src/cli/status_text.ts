import { duration } from "../observe/duration.ts";
import { printable } from "../wire/escaping/printable.ts";
import type { Status } from "./status_facts.ts";
import { coloured, type Terminal } from "./terminal.ts";
import { wrapped } from "./wrapped.ts";

const INDENT = 12;

/** One screen for a terminal: what the service does, and what is wrong. */
export function describeStatus(status: Status, terminal: Terminal): string {
  return [
    ...row("service", serviceWords(status)),
    ...(status.sources ?? []).flatMap(({ broker, queue, connected, consuming }) => {
      const state = consuming ? "consumed" : connected ? "connected, not consumed" : "no connection";
      return row("RabbitMQ", `queue "${queue}" at ${broker}: ${state}`);
    }),
    ...messageRows(status),
    ...row("ledger", ledgerWords(status)),
    ...openstackRows(status),
    ...pluginTable(status, terminal),
    "",
    ...problemLines(status, terminal),
  ].join("\n");
}

function row(label: string, text: string): readonly string[] {
  return wrapped(`${label.padEnd(INDENT)}${printable(text)}`, { indent: INDENT });
}

function serviceWords({ service, now }: Status): string {
  const { state, version, startedAt, seenAt, residentBytes } = service;
  if (state === "running") {
    const memory = residentBytes === null ? "" : `, ${Math.round(residentBytes / 2 ** 20)} MiB`;
    return `runs for ${duration(now - (startedAt ?? now))}, version ${version}${memory}`;
  }
  const seen = seenAt === null ? "never ran with this ledger" : `wrote to the ledger ${duration(now - seenAt)} ago`;
  return state === "seen" ? `${seen}; the rest is not known` : `does not run; ${seen}`;
}

function messageRows({ messages, lastMessageAt, now }: Status): readonly string[] {
  if (messages === null) return [];
  const last = lastMessageAt === null ? "none yet" : `the last ${duration(now - lastMessageAt)} ago`;
  return row("messages", `${messages.received} since the start, ${messages.recorded} recorded; ${last}`);
}

function ledgerWords({ ledger: { kind, writable } }: Status): string {
  const what = kind === "sqlite" ? "SQLite" : "PostgreSQL";
  return `${what}, ${writable === null ? "can be read" : writable ? "can be written" : "cannot be written"}`;
}

function openstackRows({ openstack, now }: Status): readonly string[] {
  if (openstack === null) return [];
  const { lastComparison: last, agreedAt } = openstack;
  const agreed = agreedAt === null ? "no comparison has succeeded yet" : `agreed ${duration(now - agreedAt)} ago`;
  const compared = last === null ? "" : `; last compared ${duration(now - last.endedAt)} ago: ${last.outcome}`;
  return row("OpenStack", `${agreed}${compared}`);
}

const COLUMNS = ["waiting", "retrying", "dead"] as const;

function pluginTable({ plugins, service, now }: Status, terminal: Terminal): readonly string[] {
  if (plugins.length === 0) return [];
  const width = Math.max(...plugins.map(({ name }) => printable(name).length), "PLUGIN".length);
  const heading = ["PLUGIN".padEnd(width), ...COLUMNS.map((column) => column.toUpperCase().padStart(9)), "TARGET"];
  const rows = plugins.map((plugin) => {
    const { name, isConfigured, outage, breaker, paused } = plugin;
    const away = outage !== null ? `away for ${duration(now - outage.since)}` : breaker === "open" ? "away" : null;
    const reached = away !== null ? coloured(away, "red", terminal) : service.state === "stopped" ? "-" : "ok";
    const target = !isConfigured ? "not in config.ts" : paused !== null ? "paused" : reached;
    return [printable(name).padEnd(width), ...COLUMNS.map((column) => String(plugin[column]).padStart(9)), target];
  });
  return ["", ...[heading, ...rows].map((cells) => cells.join("  "))];
}

function problemLines({ problems }: Status, terminal: Terminal): readonly string[] {
  if (problems.length === 0) return [coloured("All is well.", "green", terminal)];
  return problems.flatMap(({ level, text, remedy }) => {
    const [first = "", ...rest] = wrapped(printable(`${level.padEnd(INDENT)}${text}`), { indent: INDENT });
    const word = coloured(level, level === "error" ? "red" : "yellow", terminal);
    return [
      `${word}${first.slice(level.length)}`,
      ...rest,
      ...wrapped(printable(`${" ".repeat(INDENT)}${remedy}`), { indent: INDENT }),
    ];
  });
}
