import assert from "node:assert/strict";
import { Ajv2020 } from "ajv/dist/2020.js";
import { checkConfig } from "../../src/config/check_config.ts";
import { configJsonSchema } from "../../src/config/json_schema.ts";
import { WHOLE_CONFIGS } from "./whole_configs.ts";

const validate = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, allErrors: true })
  .compile(configJsonSchema());

type Path = readonly (string | number)[];

/** What a JSON Schema cannot say, or what is said of plugins: `check` finds it alone. */
const BEYOND = [
  /^plugins/,
  /^retry\.plugins\.\w*: no plugin has this name/,
  /^(?:retry|retry\.plugins\.\w+)\.firstDelaySeconds: must not be more than maxDelaySeconds/,
  /^events\.update(?:\[\d+\])?: (?:"[^"]*" is no key of the detail|no plugin can follow|servers are told of)/,
  /^events\.settleSeconds: needs events\.update/,
  /^detail\.static\.\w+: found .*; allowed/,
  /^detail\.fields\.\w+: found .*; allowed: a function/,
  /^ledger\.postgres\.(?:url|schema|certFile): (?:it is not|its|has|stands beside \?schema|needs TLS)/,
  /^ledger\.postgres\.url: /,
  /^console\.(?:port: \d+ is the port of metrics|host: .* can be reached|groups: needs|trustedProxy: needs groups)/,
  /^console\.trustedProxy\.addresses\[\d+\]: found/,
  /^console\.url: found/,
  /^rabbit(?:\[\d+\])?\.url(?:\[\d+\])?: found/,
];

/** What stands in the place of a value: of each kind, and at the edges of what is allowed somewhere. */
const OTHERS = [
  null,
  "",
  "x",
  "a b",
  "a/b",
  "all",
  "amqp://h",
  "https://h",
  "classic",
  "first",
  "127.0.0.1",
  "amq.q",
  -1,
  0,
  0.1,
  0.5,
  1,
  4,
  5,
  70_000,
  1e9,
  true,
  false,
  [],
  ["x"],
  [1],
  {},
  { x: 1 },
];

/** The places of all values below the sections of data. */
function placesIn(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value !== "object" || value === null || path[0] === "plugins") return [path];
  const entries = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [path, ...entries.flatMap(([key, one]) => placesIn(one, [...path, key]))];
}

/** A copy in which one value is another, or is not there. */
function changed(value: unknown, [key, ...rest]: Path, change: { readonly to?: unknown }): unknown {
  if (key === undefined) return change.to;
  if (Array.isArray(value)) return value.map((one, index) => index === key ? changed(one, rest, change) : one);
  const fields = value as Readonly<Record<string, unknown>>;
  const { [key]: one, ...others } = fields;
  return rest.length === 0 && !("to" in change) ? others : { ...fields, [key]: changed(one, rest, change) };
}

/** As other tools have it. */
function asJson(config: unknown): unknown {
  return JSON.parse(JSON.stringify(config));
}

for (const [what, config] of Object.entries(WHOLE_CONFIGS)) {
  Deno.test(`the JSON Schema accepts what load_config accepts, and refuses what it refuses, but for what is beyond it: ${what}`, () => {
    assert.ok(validate(asJson(config)), JSON.stringify(validate.errors));
    let [refused, accepted] = [0, 0];
    for (const path of placesIn(config)) {
      const isMember = typeof path.at(-1) === "string";
      const changes = [
        ...OTHERS.map((to) => changed(config, path, { to })),
        ...(isMember ? [changed(config, path, {})] : []),
        ...(isMember ? [changed(config, [...path.slice(0, -1), "unknwon"], { to: 1 })] : []),
      ];
      for (const one of changes) {
        const findings = checkConfig(one);
        const isValid = validate(asJson(one));
        const text = `${path.join(".")}: ${JSON.stringify(one)?.slice(0, 2000)}`;
        if (findings.length === 0) {
          assert.ok(isValid, `refused by the schema: ${JSON.stringify(validate.errors)} ${text}`);
        }
        const within = findings.filter((finding) => !BEYOND.some((pattern) => pattern.test(finding)));
        if (within.length > 0) assert.ok(!isValid, `accepted by the schema, but ${within.join("; ")} ${text}`);
        if (isValid) accepted++;
        else refused++;
      }
    }
    assert.ok(refused > 100 && accepted > 5, `${refused} refused, ${accepted} accepted`);
  });
}

Deno.test("the JSON Schema has every key that config.ts may have", () => {
  const { properties } = configJsonSchema();
  const keys = new Set(Object.values(WHOLE_CONFIGS).flatMap((config) => Object.keys(config)));
  assert.deepEqual(Object.keys(properties as object).sort(), [...keys].sort());
});
