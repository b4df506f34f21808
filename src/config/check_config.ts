import * as v from "valibot";
import { describePath, describeValue } from "./describe.ts";
import { configSchema } from "./schema.ts";

/**
 * All findings about a configuration, one line each: the key, the value found, the values allowed.
 * Shows no secret. Empty: the value is a `Config`.
 */
export function checkConfig(config: unknown): readonly string[] {
  const { issues = [] } = v.safeParse(configSchema, config);
  return [...new Set(issues.map(findingOf))];
}

function findingOf(issue: v.BaseIssue<unknown>): string {
  const keys = (issue.path ?? []).map((item) => item.key);
  const path = describePath(keys);
  if (issue.type === "raw_check") return `${path}: ${issue.message}`;
  if (isMissingKey(issue)) return `${path}: missing`;
  return `${path}: found ${describeValue(issue.input, keys)}; allowed: ${issue.message}`;
}

/** valibot expects the key itself, in quotes. */
function isMissingKey({ type, expected }: v.BaseIssue<unknown>): boolean {
  return type === "loose_object" && expected?.startsWith(`"`) === true;
}
