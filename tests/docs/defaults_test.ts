import assert from "node:assert/strict";
import * as defaults from "../../src/model/config_defaults.ts";
import { DEFAULT_METRICS } from "../../src/model/config.ts";
import { DEFAULT_CONSOLE } from "../../src/model/console_config.ts";

/** The types whose docstrings say what counts without a value, and what does count. */
const TYPES: readonly (readonly [file: string, type: string, values: object])[] = [
  ["config", "Events", defaults.EVENTS_DEFAULTS],
  ["config", "DetailOptions", defaults.DETAIL_DEFAULTS],
  ["config", "MetadataNames", defaults.METADATA_NAMES],
  ["config", "DeliveryOptions", defaults.DELIVERY_DEFAULTS],
  ["config", "PostgresOptions", defaults.POSTGRES_DEFAULTS],
  ["config", "LedgerOptions", defaults.LEDGER_DEFAULTS],
  ["config", "LogOptions", defaults.LOG_DEFAULTS],
  ["config", "MetricsOptions", DEFAULT_METRICS],
  ["console_config", "ConsoleOptions", DEFAULT_CONSOLE],
  ["console_config", "TrustedProxy", defaults.PROXY_DEFAULTS],
  ["rabbit_config", "RabbitConnection", defaults.RABBIT_DEFAULTS],
  ["rabbit_config", "OwnQueue", defaults.QUEUE_DEFAULTS],
  ["openstack_config", "OpenStackOptions", defaults.OPENSTACK_DEFAULTS],
  ["openstack_config", "ReconcileOptions", defaults.RECONCILE_DEFAULTS],
];

for (const [file, type, values] of TYPES) {
  Deno.test(`the docstrings of ${type} tell the defaults that count`, async () => {
    const text = await Deno.readTextFile(new URL(`../../src/model/${file}.ts`, import.meta.url));
    const body = new RegExp(`interface ${type}\\b[^{]*\\{([^]*?)\\n\\}`).exec(text)?.[1] ?? assert.fail("no such type");
    for (const [key, value] of Object.entries(values)) {
      const [, doc = ""] = new RegExp(`/\\*\\*((?:(?!\\*/)[^])*)\\*/\\n  readonly ${key}\\??:`).exec(body) ?? [];
      const told = /@default\s+(?:\*\s*)?([^]*?)$/.exec(doc.replaceAll(/\n\s*\*/g, " ").trim())?.[1]?.trim() ?? "";
      assert.ok(
        told.replaceAll(/\s/g, "").startsWith(JSON.stringify(value)),
        `${type}.${key}: ${told}, not ${JSON.stringify(value)}`,
      );
    }
  });
}
