import fc from "fast-check";

/** A configuration of oss_framework as an operator may have written it, and what it says. */
export interface MadeConf {
  /** The INI file. */
  readonly text: string;
  /** What `Config` must be, plugins aside. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The options that RestNotify must get; `null` when it is not enabled. */
  readonly rest: Readonly<Record<string, unknown>> | null;
  /** The classes of own plugins, as `new_plugin.YourPlugin`. */
  readonly own: readonly string[];
}

interface Assignment {
  readonly section: string;
  readonly key: string;
  readonly value: string;
}

const blank = fc.constantFrom("", " ", "  ", "\t");
const hostName = fc.stringMatching(/^[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,4})?(\.example)?$/);
const port = fc.integer({ min: 1, max: 65535 });
/** Whatever people have in passwords and paths: signs of INI files, of Python, of JavaScript, and of other scripts. */
const odd = fc.array(
  fc.constantFrom(
    "a",
    "Z",
    "7",
    "#",
    ";",
    "$",
    "%",
    "'",
    '"',
    "`",
    "\\",
    "=",
    ":",
    ",",
    "{",
    "}",
    "[",
    "]",
    "é",
    "漢",
    "😀",
    "-",
    "${",
    "*/",
    "//",
  ),
  { minLength: 1, maxLength: 12 },
).map((parts) => parts.join(""));
const user = odd.map((text) => text.replaceAll(":", "_"));
const path = odd.map((text) => `/${text}`);
const queue = fc.stringMatching(/^[a-z]{1,9}[._-]info$/);
const ownPlugin = fc.constantFrom(
  "new_plugin.YourPlugin",
  "mail.Mail",
  "site.cmdb.Cmdb",
  "other.YourPluginToo",
  "mail.Pager",
);

const rest = fc.record({
  host: fc.tuple(fc.constantFrom("http://", "https://"), hostName).map((parts) => parts.join("")),
  port,
  user,
  password: odd,
  url_creation: path,
  url_deletion: path,
}, { requiredKeys: ["host", "url_creation", "url_deletion", "user"] });
const rabbit = fc.record(
  { host: fc.oneof(hostName, fc.constant("::1")), port, user: odd, password: odd, watch_queue: queue },
  { requiredKeys: ["watch_queue"] },
);
const openstack = fc.record({
  auth_url: hostName.map((host) => `http://${host}:5000/v2.0`),
  user: odd,
  password: odd,
  tenant: odd,
});
const unknown = fc.record({
  section: fc.constantFrom("DEFAULT", "rest", "new_plugin", "oslo_log", "x\u2028not code"),
  key: fc.constantFrom("use_syslog", "verbose", "url", "api_token", "hots", "a\u2029b", "*/ c"),
  value: odd,
});

/** INI files with their meaning, in every form that oslo.config reads. */
export const ossConf: fc.Arbitrary<MadeConf> = fc.record({
  creation: fc.subarray(["compute.instance.create.end", "instance.create.end", "floatingip.update.end"], {
    minLength: 1,
  }),
  deletion: fc.subarray(["compute.instance.delete.end", "instance.delete.end", "floatingip.update.end"]),
  withRest: fc.boolean(),
  own: fc.uniqueArray(ownPlugin, { maxLength: 3 }),
  rest,
  rabbit,
  openstack: fc.option(openstack),
  logFile: fc.option(odd.map((text) => `logs/${text.replaceAll("/", "_")}.log`)),
  debug: fc.option(fc.constantFrom("true", "False", "1", "no")),
  unknown: fc.array(unknown, { maxLength: 2 }),
  style: fc.infiniteStream(
    fc.record({ before: blank, after: blank, quote: fc.constantFrom("", "'", '"'), form: fc.nat(9) }),
  ),
  lineEnd: fc.constantFrom("\n", "\n", "\r\n"),
  bom: fc.boolean(),
}).map(({ style, lineEnd, bom, ...made }) => {
  const enabled = [...(made.withRest || made.own.length === 0 ? ["rest_plugin.RESTNotify"] : []), ...made.own];
  const assignments = assignmentsOf({ ...made, enabled });
  const lines = assignments.flatMap((one) => written(one, style.next().value as Style));
  return {
    text: (bom ? "\ufeff" : "") + lines.join(lineEnd) + lineEnd,
    config: configOf(made),
    rest: enabled.includes("rest_plugin.RESTNotify") ? restOf(made.rest) : null,
    own: made.own,
  };
});

interface Style {
  readonly before: string;
  readonly after: string;
  readonly quote: string;
  readonly form: number;
}

type Made = Readonly<{
  creation: string[];
  deletion: string[];
  rest: Record<string, string | number | undefined>;
  rabbit: Record<string, string | number | undefined>;
  openstack: Record<string, string | undefined> | null;
  logFile: string | null;
  debug: string | null;
  unknown: Assignment[];
}>;

function assignmentsOf({ enabled, ...made }: Made & { readonly enabled: readonly string[] }): Assignment[] {
  const of = (section: string, options: Readonly<Record<string, unknown>>) =>
    Object.entries(options).filter(([, value]) => value !== undefined && value !== null)
      .map(([key, value]) => ({ section, key, value: String(value) }));
  return [
    ...made.unknown.map((one) => ({ ...one, value: one.value })),
    ...of("DEFAULT", {
      enabled_plugins: enabled.join(","),
      events_creation: made.creation.join(","),
      events_deletion: made.deletion.join(","),
      log_file: made.logFile,
      debug: made.debug,
    }),
    ...of("rabbit", made.rabbit),
    ...of("rest", made.rest),
    ...of("openstack", made.openstack ?? {}),
  ];
}

/** One assignment with its section, in one of the forms that come to the same. */
function written({ section, key, value }: Assignment, { before, after, quote, form }: Style): string[] {
  const assign = (name: string, text: string) => `${name}${before}${form % 2 === 0 ? "=" : ":"}${after}${text}${after}`;
  // Behind a backslash only \$ is a dollar: \$$ would be two.
  const escaped = value.replaceAll("$", form % 3 === 0 || value.includes("\\$") ? "\\$" : "$$$$");
  // A text that begins with a quote would lose it, and one that ends with blanks would lose them.
  const marks = quote === "" && /^["']/.test(escaped) ? '"' : quote;
  const text = `${marks}${escaped}${marks}`;
  const head = [
    ...(form === 1 ? ["", "# a = comment", "; and another"] : []),
    `[${form === 2 && section !== "DEFAULT" ? section.toUpperCase() : section}]`,
  ];
  if (form === 3) return [...head, assign(key, "'what is overwritten'"), assign(key, text)];
  if (form === 4) {
    return [...head, assign(key, `\${${section}.the_${section}_${key}}`), assign(`the_${section}_${key}`, text)];
  }
  if (form === 5) {
    return [...head, assign(key, `$the_${section}_${key}`), "[DEFAULT]", assign(`the_${section}_${key}`, text)];
  }
  if (form === 6 && ["enabled_plugins", "events_creation", "events_deletion"].includes(key)) {
    return [...head, `${key} =`, ...value.split(",").map((item) => `   ${item},`)];
  }
  return [...head, assign(key, text)];
}

function configOf({ creation, deletion, rabbit, openstack, logFile, debug }: Made): Record<string, unknown> {
  const { watch_queue: watchQueue, ...broker } = rabbit;
  const isDebug = debug !== null && ["true", "1"].includes(debug);
  const { auth_url: authUrl, tenant: project, ...account } = openstack ?? {};
  return {
    events: { creation, deletion },
    rabbit: given({ ...broker, watchQueue }),
    ...(openstack === null ? {} : { openstack: given({ ...account, authUrl, project }) }),
    detail: { static: { IPType: "Public", Datacenter: "KDC", SecurityDomain: "DQT" } },
    ...(logFile === null && !isDebug
      ? {}
      : { log: given({ file: logFile ?? undefined, level: isDebug ? "debug" : undefined }) }),
  };
}

function restOf({ url_creation: urlCreation, url_deletion: urlDeletion, ...http }: Made["rest"]) {
  return given({ ...http, urlCreation, urlDeletion, body: "vco-xml" });
}

function given(options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
