import type { Detail, NotifyContext, UpdateContext } from "../mod.ts";
import {
  BOOLEAN,
  HttpTarget,
  type HttpTargetOptions,
  isOneOf,
  optional,
  type OptionRules,
} from "../src/kit/targets.ts";
import { required, TEXT } from "../src/kit/targets.ts";

/** Whose messages: the chat's way to write them. `json` is `{ text, events }`, for anything else. */
export type WebhookChat = "slack" | "teams" | "mattermost" | "json";

/** Makes the text of one event. Line breaks are shown; it may contain what tenants wrote. */
export type WebhookText = (detail: Detail, context: NotifyContext | UpdateContext) => string;

/** Options of `Webhook`, with those of `HttpTarget`: `caFile`, `timeoutSeconds`, `headers`, … */
export interface WebhookOptions extends HttpTargetOptions {
  /** The chat that takes the messages. */
  readonly chat: WebhookChat;
  /**
   * The URL of the incoming webhook, or of the workflow in Teams. It is a secret: write
   * `env("CHAT_URL")`.
   */
  readonly url: string;
  /**
   * Seconds from the first event of a message until it is sent, from 0 to 20: shorter than an
   * attempt may take. A message has as many events as `retry` allows attempts at once.
   *
   * @default 5
   */
  readonly everySeconds?: number;
  /** The text of an event; what is longer than 2000 characters is cut. @default one line that says what happened to which server */
  readonly text?: WebhookText;
  /** Tells of updates as well, and which keys changed. Needs `events.update`. @default false */
  readonly updates?: boolean;
  /** Unique among the configured plugins. @default "Webhook" */
  readonly name?: string;
}

const MAX_SECONDS = 20;

/** The rules of the plugin's own options. */
export const WEBHOOK_RULES: OptionRules<WebhookOptions, Exclude<keyof WebhookOptions, keyof HttpTargetOptions>> = {
  chat: required(isOneOf("slack", "teams", "mattermost", "json"), "must be one of slack, teams, mattermost, json"),
  url: required(HttpTarget.isUrl, "must be a full URL, https://…, without user and password"),
  everySeconds: optional(
    (value) => typeof value === "number" && value >= 0 && value <= MAX_SECONDS,
    `must be a number from 0 to ${MAX_SECONDS}`,
  ),
  text: optional((value) => typeof value === "function", "must be a function"),
  updates: BOOLEAN,
  name: TEXT,
};
