import type { ProcessList, ProcessState } from "../model/processes.ts";
import { pluginLease } from "../model/tenancy.ts";
import { duration } from "../observe/duration.ts";
import { printable } from "../wire/escaping/printable.ts";
import { wrapped } from "./wrapped.ts";

const HEADING = ["PROCESS", "STATE", "VERSION", "SINCE", "SEEN", "DOES"];

/** A table of processes for a terminal, with what is wrong below it. */
export function describeProcesses({ processes, free, differences }: ProcessList): string {
  if (processes.length === 0) return "No process was there within a day.";
  const rows = [HEADING, ...processes.map(cellsOf)];
  const widths = HEADING.map((_, column) => Math.max(...rows.map((cells) => cells[column]!.length)));
  const lines = rows.map((cells) => cells.map((cell, column) => cell.padEnd(widths[column]!)).join("  ").trimEnd());
  const nobody = free.length === 0
    ? []
    : [`Nobody does ${free.map(partOf).join(", ")}: it is taken over within some seconds, if a process runs that can.`];
  const wrong = [...nobody, ...differences.map((text) => `${text}.`)];
  const told = wrong.flatMap((text) => ["", ...wrapped(printable(text), { indent: 2 })]);
  return [...lines, ...told].join("\n");
}

function cellsOf({ name, state, version, startedMsAgo, seenMsAgo, leases }: ProcessState): readonly string[] {
  const does = leases.map(({ name }) => partOf(name)).toSorted().join(", ");
  return [
    printable(name),
    state,
    version,
    duration(startedMsAgo),
    `${duration(seenMsAgo)} ago`,
    state === "running" ? does || "nothing: it waits" : "-",
  ];
}

/** A part of the work for people: a plugin by its name. */
function partOf(lease: string): string {
  const prefix = pluginLease("");
  return printable(lease.startsWith(prefix) ? lease.slice(prefix.length) : `(${lease})`);
}
