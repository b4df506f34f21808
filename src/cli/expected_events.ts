import type { ReplayedEvent } from "../inspect/compare/replayed_event.ts";
import { UserError } from "../model/errors.ts";
import { isRecord } from "../model/is_record.ts";
import { safePrettyJson } from "../wire/escaping/safe_json.ts";

/** The text of a file of expected events: lines that a diff of git can show. */
export function expectedText(events: readonly ReplayedEvent[]): string {
  return `${safePrettyJson({ events })}\n`;
}

/**
 * Reads a file of expected events; `null`: there is none.
 *
 * @throws {UserError} when it cannot be read, or is something else.
 */
export async function readExpected(
  path: string,
): Promise<{ readonly text: string; readonly events: readonly ReplayedEvent[] } | null> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    const why = error instanceof Deno.errors.PermissionDenied ? "this user may not read it" : messageOf(error);
    throw new UserError(`Cannot read "${path}": ${why}`, { cause: error });
  }
  return { text, events: eventsIn(text, path) };
}

function eventsIn(text: string, path: string): readonly ReplayedEvent[] {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    throw new UserError(`Cannot read "${path}": it is no JSON. If it has marks of a merge, resolve them`);
  }
  const events = isRecord(file) ? file["events"] : null;
  if (!Array.isArray(events) || !events.every(isEvent)) {
    throw new UserError(`Cannot read "${path}": it has no list of events as test --update writes it. Remove it`);
  }
  const keys = events.map(({ key }) => key);
  const twice = keys.find((key, index) => keys.indexOf(key) !== index);
  if (twice !== undefined) throw new UserError(`Cannot read "${path}": it has the event "${twice}" twice. Remove one`);
  return events;
}

function isEvent(value: unknown): value is ReplayedEvent {
  if (!isRecord(value)) return false;
  const { key, event, time, created, changed, detail, plugins } = value;
  return typeof key === "string" && typeof event === "string" && (time === null || typeof time === "string") &&
    typeof created === "boolean" && (changed === undefined || Array.isArray(changed)) && isRecord(detail) &&
    Array.isArray(plugins) && plugins.every((plugin) => isRecord(plugin) && typeof plugin["name"] === "string");
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
