import { basename } from "node:path";
import type { LoadedConfig } from "../../config/load_config.ts";
import { optionsOf, shownSetting } from "../../config/plugin_settings.ts";
import { hostName } from "../../ledger/host_name.ts";
import { ledgerFileOf } from "../../ledger/place.ts";
import { type Config, DEFAULT_METRICS, type RabbitSource } from "../../model/config.ts";
import * as defaults from "../../model/config_defaults.ts";
import { DEFAULT_CONSOLE } from "../../model/console_config.ts";
import type { Json } from "../../model/notification.ts";
import { readPostgresUrl } from "../../model/postgres_address.ts";
import { type GivenValue, givenValues } from "../../wire/secrets/given_values.ts";

/** One setting that counts. */
export interface EffectiveSetting {
  /** As `rabbit.queue.name`; of a plugin `plugins.RestNotify.urlCreation`. */
  readonly key: string;
  /** Secrets are `***`. */
  readonly value: Json;
  /** `default`, the configuration's file, or where that has it from: `env NAME`, `file PATH`, … */
  readonly from: string;
}

/** Shorter values turn up by chance: as the whole of a setting, and as a part of one. */
const MIN_WHOLE = 3;
const MIN_PART = 8;

/** All settings that count, in the order of the sections, with where each is from. */
export function effectiveConfig({ config, path, pluginNames }: LoadedConfig): readonly EffectiveSetting[] {
  const { plugins, events, ...sections } = config;
  const options = plugins.map((plugin, index) => {
    const name = pluginNames[index] as string;
    const { kind, options } = optionsOf(plugin, name);
    return [name, { class: kind, ...options, name: undefined }] as const;
  });
  const reader = new SettingReader(path === null ? "the program" : basename(path), givenValues());
  const all = { events, plugins: Object.fromEntries(options), ...sections };
  return reader.settings(all, defaultsFor(config), "");
}

/** What counts where config.ts has no value. */
function defaultsFor({ rabbit, openstack, ledger, metrics, console }: Config): Tree {
  const postgres = ledger?.postgres;
  return {
    events: { ...defaults.EVENTS_DEFAULTS, update: [] },
    ...rabbit !== undefined &&
      { rabbit: Array.isArray(rabbit) ? rabbit.map(rabbitDefaults) : rabbitDefaults(rabbit as RabbitSource) },
    ...openstack !== undefined && {
      openstack: { ...defaults.OPENSTACK_DEFAULTS, reconcile: defaults.RECONCILE_DEFAULTS },
    },
    detail: { ...defaults.DETAIL_DEFAULTS, optional: [], metadataNames: defaults.METADATA_NAMES },
    retry: defaults.DELIVERY_DEFAULTS,
    ledger: postgres === undefined ? { file: ledgerFileOf(), ...defaults.LEDGER_DEFAULTS } : {
      postgres: {
        ...readPostgresUrl(postgres.url).schema === null && { schema: defaults.POSTGRES_DEFAULTS.schema },
        leaseSeconds: defaults.POSTGRES_DEFAULTS.leaseSeconds,
        processName: hostName(),
      },
      ...defaults.LEDGER_DEFAULTS,
    },
    log: { ...defaults.LOG_DEFAULTS, file: null },
    ...metrics !== false && { metrics: DEFAULT_METRICS },
    ...console !== false && {
      console: { ...DEFAULT_CONSOLE, ...console?.trustedProxy && { trustedProxy: defaults.PROXY_DEFAULTS } },
    },
  };
}

function rabbitDefaults({ url, tls, queue }: RabbitSource): Tree {
  const { prefetch, heartbeatSeconds, ...address } = defaults.RABBIT_DEFAULTS;
  return {
    ...url === undefined && { ...address, port: tls ? 5671 : 5672, tls: false },
    prefetch,
    heartbeatSeconds,
    ...queue !== undefined && { queue: defaults.QUEUE_DEFAULTS },
  };
}

type Tree = Readonly<Record<string, unknown>>;

class SettingReader {
  readonly #file: string;
  readonly #given: readonly GivenValue[];

  constructor(file: string, given: readonly GivenValue[]) {
    this.#file = file;
    this.#given = given.filter(({ value }) => value.length >= MIN_WHOLE);
  }

  /** The settings below a key; `path` ends with a dot, or is empty. */
  settings(own: Tree, others: Tree, path: string): readonly EffectiveSetting[] {
    const keys = new Set([...Object.keys(own), ...Object.keys(others)]);
    return [...keys].flatMap((key) => this.#setting(own[key], others[key], `${path}${key}`));
  }

  #setting(own: unknown, other: unknown, key: string): readonly EffectiveSetting[] {
    if (own === undefined && other === undefined) return [];
    if (isTree(own)) return this.settings(own, isTree(other) ? other : {}, `${key}.`);
    if (own === undefined && isTree(other)) return this.settings({}, other, `${key}.`);
    if (Array.isArray(own) && own.some(isTree)) {
      return own.flatMap((one, index) => {
        return this.#setting(one, Array.isArray(other) ? other[index] : undefined, `${key}[${index}]`);
      });
    }
    if (own === undefined) return [{ key, value: other as Json, from: "default" }];
    // Of our own sections no number is a secret, whatever its key is called, as `sessionHours`.
    const isPlain = typeof own === "number" && !key.startsWith("plugins.");
    return [{ key, value: isPlain ? own : shownSetting(lastKey(key), own), from: this.#from(own) }];
  }

  /** The place whose value this is, or is a part of. */
  #from(value: unknown): string {
    const texts = [value].flat().filter((one) => ["string", "number"].includes(typeof one)).map(String);
    const whole = this.#given.find((one) => texts.length === 1 && texts[0] === one.value);
    if (whole !== undefined) return whole.origin;
    const parts = this.#given.filter((one) =>
      one.value.length >= MIN_PART && texts.some((text) => text.includes(one.value))
    );
    return [this.#file, ...new Set(parts.map(({ origin }) => origin))].join(" + ");
  }
}

function lastKey(key: string): string {
  return key.slice(key.lastIndexOf(".") + 1);
}

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
