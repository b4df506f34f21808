// @ts-check
// The words of the page for what the API says in codes.

/** @import { IconName } from "./parts/icon.js" */

/** A state's word, colour and shape: colour alone says nothing. @typedef {{ word: string, tone: Tone, icon: IconName }} Look */
/** @typedef {"ok" | "warn" | "bad" | "busy" | "off"} Tone */

/** Of deliveries. @type {Readonly<Record<string, Look>>} */
export const STATES = {
  done: { word: "done", tone: "ok", icon: "check" },
  waiting: { word: "waiting", tone: "busy", icon: "clock" },
  retrying: { word: "retrying", tone: "warn", icon: "retry" },
  skipped: { word: "skipped", tone: "off", icon: "minus" },
  dead: { word: "dead letter", tone: "bad", icon: "cross" },
  dropped: { word: "dropped", tone: "off", icon: "minus" },
};

/** States in which a delivery may still change by itself. @type {readonly string[]} */
export const UNFINISHED = ["waiting", "retrying"];

/** @type {Readonly<Record<string, Look>>} */
export const KINDS = {
  creation: { word: "created", tone: "ok", icon: "plus" },
  update: { word: "updated", tone: "busy", icon: "pencil" },
  deletion: { word: "deleted", tone: "off", icon: "trash" },
};

/** @type {Readonly<Record<string, string>>} */
export const SUBJECTS = { server: "server", floatingip: "floating IP" };

/** Why attempts failed. @type {Readonly<Record<string, string>>} */
export const REASONS = {
  connection: "no connection",
  timeout: "no answer in time",
  unauthorized: "not authorised",
  rate_limited: "too many requests",
  client_error: "request refused",
  server_error: "target's error",
  permanent: "refused for good",
  interrupted: "interrupted",
  partial: "done in part",
  other: "other error",
};

/** What a comparison led to. @type {Readonly<Record<string, Look>>} */
export const OUTCOMES = {
  agreed: { word: "agreed", tone: "ok", icon: "check" },
  applied: { word: "applied", tone: "ok", icon: "check" },
  planned: { word: "planned", tone: "busy", icon: "clock" },
  withheld: { word: "withheld", tone: "warn", icon: "alert" },
  failed: { word: "failed", tone: "bad", icon: "cross" },
};

/** Kinds of differences. @type {Readonly<Record<string, { word: string, says: string }>>} */
export const CHANGES = {
  untold: { word: "untold", says: "is there and was never told" },
  gone: { word: "gone", says: "was told and is gone" },
  moved: { word: "moved", says: "moved to another server" },
  changed: { word: "changed", says: "has other values" },
};
