import type { AuditLogAnswer } from "../api.ts";
import { withShortTexts } from "./short_texts.ts";
import type { WorkerContext, WorkerRequest } from "./worker_context.ts";

const DEFAULT_LIMIT = 100;

/** Who did what, newest first. */
export async function listAuditLog({ query }: WorkerRequest, { withLedger }: WorkerContext): Promise<AuditLogAnswer> {
  const { before, limit = DEFAULT_LIMIT } = query;
  const page = { ...(before === undefined ? {} : { before: Number(before) }), limit: Number(limit) };
  const records = await withLedger(({ trail }) => trail.read(page));
  return { records: withShortTexts(records), next: records.length < page.limit ? null : records.at(-1)?.seq ?? null };
}

/** Tells the audit trail who signs in. */
export async function writeSignIn(
  { query, who }: WorkerRequest,
  { withLedger, clock }: WorkerContext,
): Promise<null> {
  const what = `as ${query["role"]}`;
  const details = { address: String(query["address"]) };
  await withLedger(({ trail }) => trail.write({ at: clock.now(), who, action: "sign-in", what, details }));
  return null;
}
