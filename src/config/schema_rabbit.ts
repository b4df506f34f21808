import * as v from "valibot";
import type { OwnQueue, RabbitSource, RabbitTls } from "../model/config.ts";
import { either, inJsonSchema, list, oneOrMore, type SchemasOf, strict, text, wholeNumber } from "./parts.ts";
import { notBeside, oneNeeded, PAIR_OF_FILES } from "./rules.ts";

const URL_TEXT = "amqp://host or amqps://host, with user:password@, :port and /vhost where needed";
const HOST_TEXT = "a host's name or address, without scheme, port and path";
const QUEUE_TEXT = `a name of 1 to 255 characters that does not begin with "amq."`;

/** A name, an IPv4 address, or an IPv6 address: something with at least two colons. */
const HOST = /^(?:[^\s:/@]+|[0-9a-fA-F.]*(?::[0-9a-fA-F.]*){2,})$/;

const QUEUE_NAME = /^(?!amq\.)\P{Cc}{1,255}$/u;

const tls = strict(
  {
    caFile: v.optional(text()),
    certFile: v.optional(text()),
    keyFile: v.optional(text()),
    serverName: v.optional(text()),
  } satisfies SchemasOf<RabbitTls>,
  ...PAIR_OF_FILES,
);

const queue = strict(
  {
    name: text(QUEUE_TEXT, QUEUE_NAME),
    exchanges: v.optional(list(text(), "a list of exchanges, at least one")),
    routingKeys: v.optional(list(text(), "a list of routing keys, at least one")),
    type: v.optional(v.picklist(["classic", "quorum"], `"classic" or "quorum"`)),
  } satisfies SchemasOf<OwnQueue>,
);

const AMQP_URL = v.pipe(
  v.string(URL_TEXT),
  v.check(isAmqpUrl, URL_TEXT),
  inJsonSchema({ pattern: "^amqps?://[^/]" }),
);

/** `rabbit`, or one of its list. */
export const rabbitSource = strict(
  {
    url: v.optional(oneOrMore(AMQP_URL)),
    host: v.optional(oneOrMore(text(HOST_TEXT, HOST))),
    port: v.optional(wholeNumber(1, 65535)),
    user: v.optional(text()),
    password: v.optional(v.string("a string")),
    vhost: v.optional(text()),
    tls: v.optional(either(v.boolean(), tls, (value) => typeof value === "boolean")),
    prefetch: v.optional(wholeNumber(1, 65535)),
    heartbeatSeconds: v.optional(wholeNumber(5, 65535)),
    watchQueue: v.optional(text(QUEUE_TEXT.replace(` that does not begin with "amq."`, ""), /^\P{Cc}{1,255}$/u)),
    queue: v.optional(queue),
  } satisfies SchemasOf<RabbitSource>,
  notBeside("watchQueue", ["queue"], "keep one: an existing queue, or one of our own"),
  oneNeeded(
    ["watchQueue", "queue"],
    `names no queue; add watchQueue: "<an existing queue>", or queue: { name: "oss-watcher" }`,
  ),
  notBeside("url", ["host", "port", "user", "password", "vhost"], "write them into the URL, or leave it out"),
);

function isAmqpUrl(url: string): boolean {
  return /^amqps?:\/\/./.test(url) && URL.canParse(url) && new URL(url).hostname !== "";
}
