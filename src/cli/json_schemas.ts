import { ACTION_SCHEMAS } from "../console/api/action_schemas.ts";
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
} from "../console/api/api_schema.ts";
import { EVENT_SCHEMAS } from "../console/api/event_schemas.ts";
import { OVERVIEW_SCHEMAS } from "../console/api/overview_schemas.ts";
import { DETAIL, ORIGIN, PAUSE, STATES, SUBJECTS } from "../console/api/schema_parts.ts";
import type { EventComparison } from "../inspect/compare/compare_events.ts";
import type { EffectiveSetting } from "../inspect/config/effective_config.ts";
import type { Undecided } from "../model/comparison.ts";
import type { Finding } from "../model/finding.ts";
import { LISTINGS } from "../model/ledger.ts";
import {
  type Listed,
  LISTED_STATES,
  type OperatorResult,
  type PluginState,
  type ShownEvent,
} from "../model/operations.ts";
import type { Compared, Named } from "../runtime/prime_again.ts";
import type { DryRunEvent } from "../runtime/dry_run.ts";
import { EXAMINATION } from "./json_schemas_doctor.ts";
import type { Status } from "./status_facts.ts";

const { EventAnswer } = EVENT_SCHEMAS;
const { OverviewAnswer, TargetOutage, ClusterAnswer, PluginOverview } = OVERVIEW_SCHEMAS;
const OVERVIEW = OverviewAnswer.properties!;

const PREVIEW: Schema = {
  type: "object",
  properties: {
    name: TEXT,
    key: TEXT,
    created: BOOL,
    method: oneOf(["notify", "update"]),
    preview: ANY,
    error: TEXT,
    skipped: { const: true },
  },
  required: ["name", "key", "created", "preview"],
  additionalProperties: false,
};

const DRY_RUN = objectOf<{ messageId: string; event: string; events: unknown; plugins: unknown; reason: unknown }>({
  messageId: TEXT,
  event: TEXT,
  events: listOf(
    objectOf<DryRunEvent>({ key: TEXT, created: BOOL, detail: DETAIL, before: DETAIL, changed: listOf(TEXT) }, [
      "before",
      "changed",
    ]),
  ),
  plugins: listOf(PREVIEW),
  reason: orNull(TEXT),
});

const FINDING = objectOf<Finding>({ level: oneOf(["ok", "warning", "error", "unchecked"]), key: TEXT, text: TEXT });

const TAIL: Schema = {
  anyOf: [
    objectOf({
      time: orNull(TEXT),
      key: TEXT,
      created: BOOL,
      changed: listOf(TEXT),
      eventType: TEXT,
      messageId: TEXT,
      detail: DETAIL,
    }, ["changed"]),
    objectOf({
      time: orNull(TEXT),
      exchange: TEXT,
      routingKey: TEXT,
      eventType: TEXT,
      messageId: TEXT,
      publisherId: orNull(TEXT),
      resource: orNull(TEXT),
    }),
  ],
};

const LISTED = objectOf<Listed>({
  key: TEXT,
  state: oneOf(LISTED_STATES),
  name: orNull(TEXT),
  address: orNull(TEXT),
  origin: ORIGIN,
  plugin: orNull(TEXT),
  at: TIME,
  attempts: WHOLE,
  dueAt: orNull(TIME),
  reason: orNull(TEXT),
  isPaused: { const: true },
}, ["isPaused"]);

/** The schema of what a list holds, by its key. */
function itemsOf({ properties }: Schema, key: string): Schema {
  const items = properties?.[key]?.items;
  if (items === undefined) throw new TypeError(`The schema has no list "${key}"`);
  return items;
}

/** Its deliveries are those of the console, without what has changed. */
function shownDeliveries(): Schema {
  const items = itemsOf(EventAnswer, "deliveries");
  const { changed: _, ...properties } = items.properties!;
  return listOf({ ...items, properties, required: items.required!.filter((key) => key !== "changed") });
}

const SHOWN = objectOf<ShownEvent>({
  event: objectOf<ShownEvent["event"]>({
    key: TEXT,
    subject: oneOf(SUBJECTS),
    created: BOOL,
    updated: BOOL,
    eventType: TEXT,
    time: TEXT,
    creationSeen: BOOL,
    origin: ORIGIN,
    serverId: orNull(TEXT),
  }, ["updated", "origin"]),
  decidedAt: TIME,
  notification: orNull({ type: "object" }),
  detail: orNull(DETAIL),
  deliveries: shownDeliveries(),
});

const PLUGIN = objectOf<PluginState>({
  plugin: TEXT,
  deliveries: objectOf<PluginState["deliveries"]>(
    Object.fromEntries(STATES.map((state) => [state, WHOLE])) as Record<keyof PluginState["deliveries"], Schema>,
  ),
  isConfigured: BOOL,
  outage: orNull(TargetOutage),
  paused: orNull(PAUSE),
});

/** Of the running service's attempts the ledger knows nothing. */
function pluginOfStatus(): Schema {
  const figures = ["attemptsPerMinute", "failuresPerMinute", "p50Seconds", "p99Seconds"];
  const properties = Object.entries(PluginOverview.properties!).filter(([key]) => !figures.includes(key));
  return {
    ...PluginOverview,
    properties: { ...Object.fromEntries(properties), outage: orNull(TargetOutage) },
    required: PluginOverview.required!.filter((key) => !figures.includes(key)),
  };
}

const STATUS = objectOf<Status>({
  now: TIME,
  service: objectOf<Status["service"]>({
    state: oneOf(["running", "seen", "stopped"]),
    version: orNull(TEXT),
    startedAt: orNull(TIME),
    seenAt: orNull(TIME),
    residentBytes: orNull(NUMBER),
  }),
  problems: listOf(
    objectOf<Status["problems"][number]>({ level: oneOf(["error", "warning"]), text: TEXT, remedy: TEXT }),
  ),
  sources: orNull(OVERVIEW["sources"]!),
  lastMessageAt: orNull(TIME),
  messages: orNull(OVERVIEW["messages"]!),
  ledger: objectOf<Status["ledger"]>({ kind: oneOf(["sqlite", "postgres"]), writable: orNull(BOOL) }),
  openstack: OVERVIEW["openstack"]!,
  plugins: listOf(pluginOfStatus()),
});

const NAMED = objectOf<Named>({ id: TEXT, name: orNull(TEXT) });

const PRIMED = listOf(objectOf<Compared>({
  listing: oneOf(LISTINGS),
  found: WHOLE,
  missing: listOf(NAMED),
  countedAnew: listOf(NAMED),
  gone: orNull(listOf(TEXT)),
}));

const REPORT = ACTION_SCHEMAS.ComparisonReport;

/** A report, with all differences and what was not decided. */
const RECONCILED: Schema = {
  ...REPORT,
  properties: {
    ...REPORT.properties,
    undecided: listOf(objectOf<Undecided>({ subject: oneOf([...SUBJECTS, "port"]), id: TEXT, reason: TEXT })),
  },
};

/** docs/OPERATIONS.md says what its keys mean. */
const AUDITED = objectOf<{ plugins: unknown }>({
  plugins: listOf({
    type: "object",
    properties: { plugin: TEXT, outcome: oneOf(["audited", "not listed", "failed"]) },
    required: ["plugin", "outcome"],
  }),
});

const RESULTS = objectOf<{ results: unknown; unknown: unknown }>({
  results: listOf(objectOf<OperatorResult>({ key: TEXT, plugin: TEXT, refused: orNull(TEXT) })),
  unknown: listOf(TEXT),
});

/** Of each event that differs, then of all. */
const DIFFERENCE: Schema = {
  anyOf: [
    objectOf<Pick<EventComparison, "key" | "change" | "before" | "after" | "plugins">>({
      key: TEXT,
      change: TEXT,
      plugins: listOf(objectOf<{ name: string; change: string }>({ name: TEXT, change: TEXT })),
      before: ANY,
      after: ANY,
    }),
    objectOf<{ notifications: number; events: unknown; changedKeys: unknown; plugins: unknown }>({
      notifications: WHOLE,
      events: mapOf(WHOLE),
      changedKeys: listOf(objectOf<{ key: string; events: number }>({ key: TEXT, events: WHOLE })),
      plugins: listOf({ type: "object", properties: { name: TEXT }, required: ["name", "isBefore", "isAfter"] }),
    }),
  ],
};

/** What `--json` of each command prints: a line of each, or several. */
export const JSON_SCHEMAS: Readonly<Record<string, Schema>> = {
  "--dry-run": DRY_RUN,
  "check": objectOf<{ ok: boolean; findings: unknown }>({ ok: BOOL, findings: listOf(FINDING) }),
  "config show": objectOf<{ file: unknown; settings: unknown }>({
    file: orNull(TEXT),
    settings: listOf(objectOf<EffectiveSetting>({ key: TEXT, value: ANY, from: TEXT })),
  }),
  "doctor": {
    anyOf: [
      EXAMINATION,
      objectOf<{ comparisons: unknown }>({ comparisons: { type: "object" } }),
      objectOf<{ pauses: unknown }>({ pauses: mapOf(PAUSE) }),
    ],
  },
  "tail": TAIL,
  "diff": DIFFERENCE,
  "status": STATUS,
  "events": LISTED,
  "events show": SHOWN,
  "events replay": RESULTS,
  "events drop": RESULTS,
  "plugins": PLUGIN,
  "plugins try": objectOf<{ plugin: string; waited: number }>({ plugin: TEXT, waited: WHOLE }),
  "plugins pause": objectOf<{ plugin: string; isNew: boolean; paused: unknown }>({
    plugin: TEXT,
    isNew: BOOL,
    paused: orNull(PAUSE),
  }),
  "plugins resume": objectOf<{ plugin: string; wasPaused: boolean }>({ plugin: TEXT, wasPaused: BOOL }),
  "processes": itemsOf(ClusterAnswer.properties!["processes"]!, "processes"),
  "prime": PRIMED,
  "reconcile": RECONCILED,
  "audit": AUDITED,
  "audit-log": itemsOf(ACTION_SCHEMAS.AuditLogAnswer, "records"),
  "backup": objectOf<{ file: string; bytes: number }>({ file: TEXT, bytes: WHOLE }),
  "ledger copy": objectOf<{ from: string; to: string; seconds: number; tables: unknown }>({
    from: TEXT,
    to: TEXT,
    seconds: NUMBER,
    tables: mapOf(objectOf<{ rows: number; checksum: string }>({ rows: WHOLE, checksum: TEXT })),
  }),
};

/** The document of a command, `null` for one without `--json`. */
export function jsonSchemaOf(command: string): object | null {
  const schema = JSON_SCHEMAS[command];
  return schema === undefined ? null : {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: `A line of oss-watcher ${command} --json`,
    ...schema,
  };
}
