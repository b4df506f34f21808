import type * as api from "../api.ts";
import { ACTIONS, type AuditRecord } from "../../model/audit_trail.ts";
import { CHANGES, type ComparisonReport, type Difference, type Undecided } from "../../model/comparison.ts";
import {
  ANY,
  BOOL,
  listOf,
  mapOf,
  NUMBER,
  objectOf,
  oneOf,
  orNull,
  type Schema,
  TEXT,
  TIME,
  WHOLE,
} from "./api_schema.ts";
import { pluginOverview, REASON, ref, SUBJECTS } from "./schema_parts.ts";

/** What operators do, and what they did. */
export const ACTION_SCHEMAS = {
  ActionRequest: objectOf<api.ActionRequest>({
    action: oneOf(["replay", "drop"]),
    target: {
      anyOf: [
        objectOf<Extract<api.ActionTarget, { keys: unknown }>>({
          keys: { ...listOf({ ...TEXT, minLength: 1, maxLength: 512 }), minItems: 1, maxItems: 10_000 },
          plugin: { ...TEXT, minLength: 1, maxLength: 512 },
        }, ["plugin"]),
        objectOf<Extract<api.ActionTarget, { reason?: unknown }>>({
          plugin: { ...TEXT, minLength: 1, maxLength: 512 },
          reason: REASON,
        }, ["reason"]),
      ],
    },
    force: BOOL,
  }, ["force"]),
  ActionPlan: objectOf<api.ActionPlan>({
    count: WHOLE,
    refused: listOf(objectOf<api.ActionPlan["refused"][number]>({ reason: TEXT, count: WHOLE, sampleKey: TEXT })),
    isComplete: BOOL,
  }),
  ActionAnswer: objectOf<api.ActionAnswer>({
    id: TEXT,
    action: oneOf(["replay", "drop"]),
    state: oneOf(["running", "done", "stopped", "failed"]),
    total: WHOLE,
    done: WHOLE,
    refused: listOf(objectOf<api.ActionAnswer["refused"][number]>({ key: TEXT, plugin: TEXT, reason: TEXT })),
    refusedCount: WHOLE,
    error: orNull(TEXT),
  }),
  PluginsAnswer: objectOf<api.PluginsAnswer>({
    plugins: listOf(objectOf<api.PluginsAnswer["plugins"][number]>({
      ...pluginOverview(),
      deliveries: objectOf<api.PluginsAnswer["plugins"][number]["deliveries"]>({
        waiting: WHOLE,
        retrying: WHOLE,
        done: WHOLE,
        skipped: WHOLE,
        dead: WHOLE,
        dropped: WHOLE,
      }),
      settings: orNull(objectOf<NonNullable<api.PluginsAnswer["plugins"][number]["settings"]>>({
        kind: TEXT,
        options: ANY,
      })),
      can: objectOf<api.PluginsAnswer["plugins"][number]["can"]>({
        preview: BOOL,
        check: BOOL,
        update: BOOL,
        list: BOOL,
      }),
      retry: ANY,
    })),
  }),
  PluginName: objectOf<{ name: string }>({ name: { ...TEXT, minLength: 1, maxLength: 512 } }),
  CheckAnswer: objectOf<api.CheckAnswer>({ ok: BOOL, error: orNull(TEXT), tookMs: NUMBER }),
  PluginActionAnswer: objectOf<api.PluginActionAnswer>({ name: TEXT, count: WHOLE }),
  ComparisonReport: objectOf<ComparisonReport>({
    startedAt: TIME,
    endedAt: TIME,
    why: TEXT,
    isFull: BOOL,
    isByHand: BOOL,
    isPartial: BOOL,
    outcome: oneOf(["agreed", "applied", "planned", "withheld", "failed"]),
    problem: orNull(TEXT),
    scope: orNull(objectOf<NonNullable<ComparisonReport["scope"]>>({
      projectId: orNull(TEXT),
      isAdmin: BOOL,
      fields: mapOf(TEXT),
    })),
    found: mapOf(WHOLE),
    drift: mapOf(WHOLE),
    corrected: WHOLE,
    undecided: WHOLE,
    differences: listOf(objectOf<Difference>({
      change: oneOf(CHANGES),
      subject: oneOf(SUBJECTS),
      id: TEXT,
      name: orNull(TEXT),
      address: orNull(TEXT),
      keys: listOf(TEXT),
      evidence: listOf(TEXT),
    })),
  }),
  DriftRun: objectOf<api.DriftRun>({
    state: oneOf(["running", "done", "failed", "stopped"]),
    apply: BOOL,
    by: TEXT,
    startedAt: TIME,
    progress: TEXT,
    report: orNull(ref("ComparisonReport")),
    undecided: listOf(objectOf<Undecided>({ subject: oneOf([...SUBJECTS, "port"]), id: TEXT, reason: TEXT })),
    error: orNull(TEXT),
  }),
  DriftAnswer: objectOf<api.DriftAnswer>({
    last: orNull(ref("ComparisonReport")),
    agreedAt: orNull(TIME),
    running: orNull(ref("DriftRun")),
  }),
  CompareRequest: objectOf<{ apply: boolean; force: boolean }>({ apply: BOOL, force: BOOL }, ["force"]),
  AuditLogAnswer: objectOf<api.AuditLogAnswer>({
    records: listOf(objectOf<AuditRecord>({
      seq: WHOLE,
      at: TIME,
      who: TEXT,
      action: oneOf(ACTIONS),
      what: TEXT,
      details: ANY,
    })),
    next: orNull(WHOLE),
  }),
} as const satisfies Readonly<Record<string, Schema>>;
