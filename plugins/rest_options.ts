import { type BodyFormat, HttpTarget, type HttpTargetOptions, isBodyFormat } from "../src/kit/targets.ts";
import { CLOUD_EVENT_FORMATS, type CloudEventFormat, isCloudEventSource } from "../src/kit/targets.ts";
import { type GivenOptions, needs, optional, type OptionRules, required } from "../src/kit/targets.ts";
import { isOneOf, isWebhookSecret, matches, PORT, TEXT, WEBHOOK_HEADERS, withoutHeaders } from "../src/kit/targets.ts";

/** Options of `RestNotify`, with those of `HttpTarget`: `bearer`, `caFile`, … */
export interface RestNotifyOptions extends HttpTargetOptions {
  /** `https://some_host` or `http://some_host`. Not needed when all URLs are full ones. */
  readonly host?: string;
  /** From 1 to 65535. @default 443 for https, 80 for http */
  readonly port?: number;
  /** Where creations are sent: a path on `host` as `/some_url`, or a full URL. */
  readonly urlCreation: string;
  /** Where deletions are sent, likewise. */
  readonly urlDeletion: string;
  /** Where updates are sent, likewise. @default updates are not sent */
  readonly urlUpdate?: string;
  /** Of creations and deletions. @default "POST" */
  readonly method?: "POST" | "PUT" | "PATCH" | "DELETE";
  /** Of updates; needs `urlUpdate`. @default "PUT" */
  readonly methodUpdate?: "POST" | "PUT" | "PATCH" | "DELETE";
  /** The format of the body. A header `Content-Type` in `headers` wins. @default "json" */
  readonly body?: BodyFormat;
  /**
   * Sends CloudEvents 1.0 instead of `body`: `cloudevents` as one JSON document, `cloudevents-binary`
   * with the detail as body and headers `ce-…`. @default no CloudEvents
   */
  readonly format?: CloudEventFormat;
  /** The attribute `source` of CloudEvents: a URI or a reference. @default "/oss-watcher" */
  readonly source?: string;
  /**
   * Signs every request as Standard Webhooks says. Each is `whsec_` and the base64 of 24 to 64
   * bytes; give the new and the old one while receivers change over. @default no signature
   */
  readonly signingSecrets?: readonly string[];
  /** Unique among the configured plugins. @default "RestNotify" */
  readonly name?: string;
}

const isHostAlone = matches(/^\w+:\/\/[^/?#]+\/?$/);
const isAddress = (value: unknown, { host }: GivenOptions<RestNotifyOptions>) =>
  HttpTarget.isUrl(value) || (host !== undefined && matches(/^\//)(value));
const WHERE = `must be a full URL, or a path like "/some_url" with host`;
const METHOD = optional(isOneOf("POST", "PUT", "PATCH", "DELETE"), "must be one of POST, PUT, PATCH, DELETE");

const OWN_HEADERS = ["sequence", "creation-seen", "changed"].map((name) => `oss-watcher-${name}`);

type OwnOption = Exclude<keyof RestNotifyOptions, keyof HttpTargetOptions> | "headers";
/** The rules of the plugin's own options. */
export const REST_RULES: OptionRules<RestNotifyOptions, OwnOption> = {
  name: TEXT,
  host: [
    optional(HttpTarget.isUrl, "must begin with https:// or http://, and hold no user and password"),
    optional((url) => !HttpTarget.isUrl(url) || isHostAlone(url), "must not hold a path; put it into the URLs"),
  ],
  port: [
    PORT,
    needs("host"),
    optional((_port, { host }) => !HttpTarget.isUrl(host) || !/:\d+\/?$/.test(host), "host names one already"),
  ],
  urlCreation: required(isAddress, WHERE),
  urlDeletion: required(isAddress, WHERE),
  urlUpdate: optional(isAddress, WHERE),
  method: METHOD,
  methodUpdate: [METHOD, needs("urlUpdate")],
  body: optional(isBodyFormat, `must be "json", "vco-xml" or a function of (detail, created, event)`),
  format: [
    optional(isOneOf(...CLOUD_EVENT_FORMATS), `must be "cloudevents" or "cloudevents-binary"`),
    optional((_format, { body }) => body === undefined, "stands beside body; keep one"),
  ],
  source: [optional(isCloudEventSource, "must be a URI or a reference, without blanks"), needs("format")],
  signingSecrets: optional(
    (value) => Array.isArray(value) && value.length > 0 && value.every(isWebhookSecret),
    `must be a list, each "whsec_" and the base64 of 24 to 64 bytes`,
  ),
  headers: withoutHeaders("idempotency-key", ...OWN_HEADERS, ...WEBHOOK_HEADERS),
};
