import { isRecord } from "../model/is_record.ts";
import * as v from "valibot";
import { CREATION_EVENTS, DELETION_EVENTS, LOG_LEVELS } from "../model/config.ts";
import type * as model from "../model/config.ts";
import { OPTIONAL_KEYS } from "../model/detail.ts";
import { DETAIL_KEYS, detailShape } from "../model/detail_shape.ts";
import { didYouMean } from "./closest.ts";
import { describeValue } from "./describe.ts";
import { bool, either, type Fields, type Finding, findings, inJsonSchema, list, oneOrMore } from "./parts.ts";
import { numberFromZero, objectOf, orFalse, quantity, type SchemasOf, strict, text, wholeNumber } from "./parts.ts";
import { notBeside, PAIR_OF_FILES, rule } from "./rules.ts";
import { canUpdate, duplicateNames, pluginName, pluginProblem } from "./plugins.ts";
import { consoleSection, portFindings } from "./schema_console.ts";
import { postgres } from "./schema_postgres.ts";
import { rabbitSource } from "./schema_rabbit.ts";

const FOLLOWED_KEYS = v.array(text(), `a list of keys of the detail, or "all"`);

const events = strict(
  {
    creation: eventTypes(CREATION_EVENTS, "deletion"),
    deletion: eventTypes(DELETION_EVENTS, "creation"),
    anyPort: v.optional(bool()),
    update: v.optional(either(v.literal("all"), FOLLOWED_KEYS, (value) => value === "all")),
    settleSeconds: v.optional(numberFromZero(3600)),
  } satisfies SchemasOf<model.Events>,
  rule(
    { not: { properties: { creation: { const: [] }, deletion: { const: [] } }, required: ["creation", "deletion"] } },
    ({ creation, deletion }) =>
      [creation, deletion].every((group) => Array.isArray(group) && group.length === 0)
        ? [{ message: "creation and deletion are both empty: there is nothing to watch" }]
        : [],
  ),
);

const reconcile = strict(
  {
    everyHours: v.optional(orFalse(quantity(8760))),
    confirmSeconds: v.optional(wholeNumber(1, 3600)),
    maxDeletions: v.optional(wholeNumber(0)),
  } satisfies SchemasOf<model.ReconcileOptions>,
);

const openstack = strict(
  {
    cloud: v.optional(text()),
    authUrl: v.optional(
      text("http://… or https://…, without user and password", /^https?:\/\/[^\s/@]+(?:\/[^\s@]*)?$/),
    ),
    user: v.optional(text()),
    userId: v.optional(text()),
    userDomain: v.optional(text()),
    userDomainId: v.optional(text()),
    password: v.optional(v.string("a string")),
    project: v.optional(text()),
    projectId: v.optional(text()),
    projectDomain: v.optional(text()),
    projectDomainId: v.optional(text()),
    domain: v.optional(text()),
    domainId: v.optional(text()),
    systemScope: v.optional(bool()),
    applicationCredentialId: v.optional(text()),
    applicationCredentialName: v.optional(text()),
    applicationCredentialSecret: v.optional(text()),
    region: v.optional(text()),
    interface: v.optional(v.picklist(["public", "internal", "admin"], `"public", "internal" or "admin"`)),
    caFile: v.optional(text()),
    certFile: v.optional(text()),
    keyFile: v.optional(text()),
    maxWaitSeconds: v.optional(wholeNumber(0)),
    reconcile: v.optional(orFalse(reconcile)),
  } satisfies SchemasOf<model.OpenStackOptions>,
  notBeside("cloud", ["authUrl"], "keep one: a cloud of clouds.yaml, or the rest here"),
  scopeRule(),
  ...PAIR_OF_FILES,
);

const metadataNames = strict(
  {
    Owner: v.optional(text()),
    AdditionalUsers: v.optional(text()),
    ApplicationName: v.optional(text()),
    EnvironmentCI: v.optional(text()),
    Description: v.optional(text()),
  } satisfies SchemasOf<model.MetadataNames>,
);

const detail = strict(
  {
    static: v.optional(v.pipe(
      objectOf(v.custom(isJson, "what JSON can hold"), "an object of fixed values"),
      findings(shapeFindings),
    )),
    fields: v.optional(objectOf(v.function("a function of the whole"), "an object of functions")),
    domain: v.optional(text(`a domain as "example.com"`, /^[^\s.](?:\S*[^\s.])?$/)),
    ipVersion: v.optional(v.picklist([4, 6, "first"], `4, 6 or "first"`)),
    optional: v.optional(
      v.array(v.picklist(OPTIONAL_KEYS, `one of ${OPTIONAL_KEYS.join(", ")}`), `a list of ${OPTIONAL_KEYS.join(", ")}`),
    ),
    metadataNames: v.optional(metadataNames),
  } satisfies SchemasOf<model.DetailOptions>,
);

const rateLimit = strict(
  {
    perSecond: quantity(10_000),
    burst: v.optional(wholeNumber(1, 10_000)),
  } satisfies SchemasOf<model.RateLimitOptions>,
);

const deliveryEntries = {
  concurrency: v.optional(wholeNumber(1, 1000)),
  attemptTimeoutSeconds: v.optional(quantity(3600)),
  firstDelaySeconds: v.optional(quantity(86_400)),
  maxDelaySeconds: v.optional(quantity(86_400)),
  maxAgeHours: v.optional(quantity(8760)),
  permanentStatuses: v.optional(v.array(wholeNumber(300, 599), "a list of HTTP statuses")),
  breakerFailures: v.optional(wholeNumber(1)),
  limit: v.optional(rateLimit),
} satisfies SchemasOf<model.DeliveryOptions>;

const delivery = strict(deliveryEntries, delayFindings);

const retry = strict(
  {
    ...deliveryEntries,
    plugins: v.optional(objectOf(delivery, "an object with the options of plugins by name")),
  } satisfies SchemasOf<model.RetryOptions>,
  delayFindings,
);

const ledger = strict(
  {
    file: v.optional(text()),
    postgres: v.optional(postgres),
    keepDays: v.optional(quantity(36_500)),
    keepRejectedBodies: v.optional(bool()),
  } satisfies SchemasOf<model.LedgerOptions>,
  notBeside("file", ["postgres"], "keep one: a file of SQLite, or a database"),
);

const log = strict(
  {
    level: v.optional(v.picklist(LOG_LEVELS, `"debug", "info", "warn" or "error"`)),
    format: v.optional(v.picklist(["text", "json"], `"text" or "json"`)),
    file: v.optional(text()),
  } satisfies SchemasOf<model.LogOptions>,
);

const metrics = strict(
  {
    host: v.optional(text("an address or a name of this machine", /^[^\s/@]+$/)),
    port: v.optional(wholeNumber(0, 65_535)),
  } satisfies SchemasOf<model.MetricsOptions>,
);

const plugin = v.pipe(
  v.unknown(),
  findings((value) => {
    const message = pluginProblem(value);
    return message === undefined ? [] : [{ message }];
  }),
);

/** What config.ts may export as its default. */
export const configSchema = strict(
  {
    events,
    plugins: v.pipe(list(plugin, "a list of plugins, at least one"), findings(duplicateNames)),
    rabbit: v.optional(oneOrMore(rabbitSource)),
    openstack: v.optional(openstack),
    detail: v.optional(detail),
    retry: v.optional(retry),
    ledger: v.optional(ledger),
    log: v.optional(log),
    metrics: v.optional(orFalse(metrics)),
    console: v.optional(orFalse(consoleSection)),
  } satisfies SchemasOf<model.Config>,
  unknownPlugins,
  updateFindings,
  portFindings,
);

function eventTypes(allowed: readonly string[], otherGroup: string) {
  const other = otherGroup === "creation" ? CREATION_EVENTS : DELETION_EVENTS;
  const eventType = findings((value) => {
    if (typeof value === "string" && allowed.includes(value)) return [];
    const found = `${describeValue(value)} is not an event of this group`;
    if (other.some((type) => type === value)) return [{ message: `${found} but of events.${otherGroup}` }];
    const advice = typeof value === "string" ? didYouMean(value, allowed) : "";
    return [{ message: `${found}; allowed: ${allowed.join(", ")}${advice}` }];
  });
  return v.array(v.pipe(v.unknown(), eventType, inJsonSchema({ enum: allowed })), "a list of event types");
}

/** Plugins rely on the types of the detail's built-in keys. */
function shapeFindings(fixed: unknown): Finding[] {
  if (!isRecord(fixed)) return [];
  return Object.entries(fixed).flatMap(([key, value]): Finding[] => {
    const shape = detailShape(key);
    if (shape === undefined || !isJson(value) || shape.allows(value)) return [];
    return [{ keys: [key], message: `found ${describeValue(value, [key])}; allowed: ${shape.allowed}` }];
  });
}

function scopeRule() {
  const scopes = ["project", "projectId", "domain", "domainId"];
  const isSystem = { properties: { systemScope: { const: true } }, required: ["systemScope"] };
  const not = { ...isSystem, anyOf: scopes.map((key) => ({ required: [key] })) };
  return rule({ not }, ({ systemScope, ...options }) => {
    const beside = scopes.filter((key) => options[key] !== undefined);
    if (systemScope !== true || beside.length === 0) return [];
    return [{ keys: ["systemScope"], message: `stands beside ${beside.join(", ")}; keep one: what to log in for` }];
  });
}

function delayFindings({ firstDelaySeconds, maxDelaySeconds }: Fields): Finding[] {
  if (typeof firstDelaySeconds !== "number" || typeof maxDelaySeconds !== "number") return [];
  return firstDelaySeconds <= maxDelaySeconds
    ? []
    : [{ keys: ["firstDelaySeconds"], message: "must not be more than maxDelaySeconds" }];
}

function unknownPlugins({ plugins, retry }: Fields): Finding[] {
  if (!Array.isArray(plugins) || !isRecord(retry) || !isRecord(retry.plugins)) return [];
  const names = plugins.filter((value) => pluginProblem(value) === undefined).map(pluginName);
  return Object.keys(retry.plugins).filter((name) => !names.includes(name)).map((name) => ({
    keys: ["retry", "plugins", name],
    message: `no plugin has this name; configured: ${names.join(", ")}${didYouMean(name, names)}`,
  }));
}

/** Keys of the detail that are the same in all of a server's life. */
const CONSTANT_KEYS: readonly string[] = ["ID", "CreationDate"];

/** `events.update` names keys that the detail has, and some plugin can follow. */
function updateFindings({ events, plugins, detail }: Fields): Finding[] {
  const update = isRecord(events) ? events.update : undefined;
  if (update === undefined || (Array.isArray(update) && update.length === 0)) {
    return isRecord(events) && events.settleSeconds !== undefined
      ? [{ keys: ["events", "settleSeconds"], message: "needs events.update, which lists what is told" }]
      : [];
  }
  const own = isRecord(detail) && isRecord(detail.fields) ? Object.keys(detail.fields) : [];
  const allowed = [...DETAIL_KEYS, ...own];
  const fixed = isRecord(detail) && isRecord(detail.static) ? Object.keys(detail.static) : [];
  const groups = isRecord(events) ? [events.creation, events.deletion] : [];
  const tellsAssociations = groups.every((group) => Array.isArray(group) && group.includes("floatingip.update.end"));
  /** Why a key cannot change, for the end of the finding; `null`: it can. */
  const whyNot = (key: string) => {
    if (fixed.includes(key)) return ": detail.static sets it";
    if (key === "FloatingIPs" && tellsAssociations) return ": both groups list floatingip.update.end, which tells it";
    if (CONSTANT_KEYS.includes(key)) return ": it is the same in all of a server's life";
    return allowed.includes(key) ? null : didYouMean(key, allowed);
  };
  const found: Finding[] = [];
  for (const [index, key] of (Array.isArray(update) ? update : []).entries()) {
    const reason = typeof key === "string" ? whyNot(key) : null;
    if (reason === null) continue;
    const message = `${describeValue(key)} is no key of the detail that can change${reason}`;
    found.push({ keys: ["events", "update", index], message });
  }
  const keys = ["events", "update"];
  const [creation] = groups;
  const isTold = !Array.isArray(creation) || creation.some((type) => /instance\.create\.end$/.test(String(type)));
  if (!isTold) {
    const message = "servers are told of from their creation on: events.creation lists no compute.instance.create.end";
    found.push({ keys, message });
  }
  const canFollow = !Array.isArray(plugins) || plugins.some(canUpdate);
  if (!canFollow) {
    const message = "no plugin can follow updates: none has a method update(detail, context). " +
      "Of the built-in ones, RestNotify needs urlUpdate, DirectoryNotify and EmailNotify updates: true";
    found.push({ keys, message });
  }
  return found;
}

function isJson(value: unknown): boolean {
  if (value === null || ["string", "boolean"].includes(typeof value)) return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (Array.isArray(value)) return value.every(isJson);
  return isRecord(value) && Object.getPrototypeOf(value) === Object.prototype && Object.values(value).every(isJson);
}
