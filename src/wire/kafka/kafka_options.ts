import type { RabbitTls } from "../../model/config.ts";
import type { OptionRules } from "../options/option_rules.ts";
import { allOptionProblems, needs, optional, required } from "../options/option_rules.ts";
import { isOneOf, isOneOrMore, TEXT, TIMEOUT } from "../options/option_values.ts";
import { isTlsOption } from "../options/tls_option.ts";

/** How to log in by SASL; the names of Kafka, in lower case. */
export type KafkaMechanism = "plain" | "scram-sha-256" | "scram-sha-512";

/**
 * Address of a Kafka cluster, and how to log in. Certificates are always verified; files are read for
 * every connection.
 */
export interface KafkaTargetOptions {
  /** `host:port` of one broker, or several; the cluster tells of the others. */
  readonly brokers: string | readonly string[];
  /** The user to log in as. */
  readonly user?: string;
  /** The user's password. */
  readonly password?: string;
  /** How the password is proven. @default "scram-sha-512" */
  readonly mechanism?: KafkaMechanism;
  /** `true`, or the files to use. @default false */
  readonly tls?: RabbitTls | boolean;
  /**
   * For one message, from connecting to the broker's acknowledgement. More than 0, at most 3600.
   * @default 30
   */
  readonly timeoutSeconds?: number;
}

const MECHANISMS: readonly KafkaMechanism[] = ["plain", "scram-sha-256", "scram-sha-512"];
const TLS_KEYS = ["caFile", "certFile", "keyFile", "serverName"];

const RULES: OptionRules<KafkaTargetOptions> = {
  brokers: required(
    isOneOrMore(isBroker),
    "must be host:port without scheme and path, or a list of them",
  ),
  user: [TEXT, needs("password")],
  password: [TEXT, needs("user")],
  mechanism: [
    optional(isOneOf(...MECHANISMS), `must be ${MECHANISMS.map((name) => `"${name}"`).join(" or ")}`),
    needs("user"),
  ],
  tls: optional(
    isTlsOption(TLS_KEYS),
    `must be true, false or { ${TLS_KEYS.join(", ")} }, certFile and keyFile together`,
  ),
  timeoutSeconds: TIMEOUT,
};

/**
 * What is wrong with these options, `option: what is allowed` each, never with a value. Empty:
 * nothing.
 */
export function kafkaOptionProblems(options: KafkaTargetOptions): string[] {
  return allOptionProblems(options, RULES);
}

function isBroker(value: unknown): boolean {
  const [, port] = typeof value === "string" ? /^(?:[^\s:/@[\]]+|\[[0-9a-f:.]+\]):(\d{1,5})$/i.exec(value) ?? [] : [];
  return Number(port) >= 1 && Number(port) <= 65_535;
}
