import type { DryRunResult } from "../runtime/dry_run.ts";
import type { SeenNotification } from "../inspect/tail/tail.ts";
import { printable } from "../wire/escaping/printable.ts";
import { coloured, type Terminal } from "./terminal.ts";
import { WIDTH } from "./wrapped.ts";

/** A line for each event: time, what happened, name, address, and the server's id. */
export function describeEvents(result: DryRunResult, terminal: Terminal): string[] {
  return result.events.map(({ key, created, changed, detail }) => {
    const isServer = key.startsWith("server/");
    const what = changed !== undefined
      ? "updated"
      : isServer
      ? (created ? "created" : "deleted")
      : (created ? "associated" : "released");
    const name = detail.FQDN ?? "-";
    const address = detail.IP ?? "-";
    // The id is for copying, so it is never cut. A name is cut to the rest of the line.
    const [before, after] = [`${clock(result.time)} ${what.padEnd(10)} `, ` ${address} ${detail.ID ?? "-"}`];
    const room = Math.max(MIN_NAME, WIDTH - before.length - after.length);
    const colour = changed !== undefined ? "yellow" : created ? "green" : "red";
    return coloured(`${before}${printable(name, room)}${printable(after)}`, colour, terminal);
  });
}

/** The same for a program: one object for each event. */
export function eventFacts({ time, event, messageId, events }: DryRunResult) {
  return events.map(({ key, created, changed, detail }) => ({
    ...{ time, key, created, ...(changed === undefined ? {} : { changed }) },
    ...{ eventType: event, messageId, detail },
  }));
}

/** A line for a notification of any kind. */
export function describeNotification({ exchange, routingKey, notification, resource }: SeenNotification): string {
  const { time, eventType } = notification;
  return [clock(time), exchange, routingKey, eventType, resource ?? "-"].map((text) => printable(text, 100)).join("  ");
}

/**
 * The same for a program. The payload is left out: it may hold tokens. `record` writes it without
 * them.
 */
export function notificationFacts({ exchange, routingKey, notification, resource }: SeenNotification) {
  const { time, eventType, messageId, publisherId } = notification;
  return { time, exchange, routingKey, eventType, messageId, publisherId, resource };
}

/** The least characters of a name; with an address of 15 characters a line still has 80. */
const MIN_NAME = 7;

/** The time of day, UTC. */
function clock(time: string | null): string {
  return time?.slice(11, 19) ?? "--:--:--";
}
