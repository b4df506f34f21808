import type { Detail, NotifyContext, UpdateContext } from "../mod.ts";
import { callUserFunction, mailAddress, mailDomain, printable, type UserFunction } from "../src/kit/targets.ts";
import type { MailedEvent } from "./email_message.ts";

/**
 * Returns the recipients of an event's mail as bare addresses; `null` or an empty text for nobody.
 * Takes the arguments of a {@linkcode MailText}. A function that throws, or returns anything else,
 * makes a dead letter.
 */
export type MailRecipients = (
  detail: Detail,
  created: boolean,
  context: NotifyContext | UpdateContext,
) => string | null | undefined | readonly (string | null | undefined)[];

/** One recipient, or several: addresses, and functions that give some. */
export type MailTo = string | MailRecipients | readonly (string | MailRecipients)[];

/** The number of recipients that every mail server must accept (RFC 5321, 4.5.3.1.8). */
export const MAX_RECIPIENTS = 100;

const RETURNS_ADDRESSES: UserFunction<ReturnType<MailRecipients>> = {
  option: "to",
  allowed: "a text, a list of texts, or null",
  allows: (value): value is ReturnType<MailRecipients> =>
    listOf(value).every((one) => one === null || one === undefined || typeof one === "string"),
};

/** The recipients of one event's mail. */
export interface Recipients {
  /** Bare addresses, each once. */
  readonly to: readonly string[];
  /** Addresses that get no mail, each with the reason, safe to print. */
  readonly leftOut: readonly string[];
}

/** Finds the recipients of each event's mail. */
export class RecipientList {
  readonly #plugin: string;
  readonly #to: readonly (string | MailRecipients)[];
  /** Domains as `example.com`, or `*.example.com` for all below it. */
  readonly #allowed: readonly string[];

  /** Both options must be without problems. */
  constructor(
    plugin: string,
    options: { readonly to: MailTo; readonly allowedDomains?: readonly string[] | undefined },
  ) {
    this.#plugin = plugin;
    this.#to = listOf(options.to);
    this.#allowed = (options.allowedDomains ?? []).flatMap((pattern) => domainPattern(pattern) ?? []);
  }

  /** @throws {PermanentError} when a function of config.ts fails. */
  of({ detail, created, context }: MailedEvent): Recipients {
    const to = new Map<string, string>();
    const leftOut: string[] = [];
    for (const recipient of this.#to) {
      const isConfigured = typeof recipient === "string";
      const values = isConfigured
        ? recipient
        : callUserFunction({ ...RETURNS_ADDRESSES, plugin: this.#plugin }, () => recipient(detail, created, context));
      for (const value of listOf(values)) {
        const mailbox = value ? mailAddress(value) : undefined;
        const key = mailbox?.address.toLowerCase() ?? "";
        if (!value || to.has(key)) continue;
        const refusal = this.#refusal(mailbox?.domain, isConfigured) ??
          (to.size < MAX_RECIPIENTS ? null : "one too many");
        if (mailbox !== undefined && refusal === null) to.set(key, mailbox.address);
        else leftOut.push(`"${printable(value, 80)}": ${refusal}`);
      }
    }
    return { to: [...to.values()], leftOut };
  }

  /** Why an address is left out; `null` when it is not. */
  #refusal(domain: string | undefined, isConfigured: boolean): string | null {
    if (domain === undefined) return "not one bare address";
    const isAllowed = this.#allowed.some((pattern) =>
      pattern.startsWith("*") ? domain.endsWith(pattern.slice(1)) : domain === pattern
    );
    return isConfigured || isAllowed ? null : "not in allowedDomains";
  }
}

/** Whether a value is what the option `to` must be. */
export function isMailTo(value: unknown): boolean {
  const recipients = listOf(value);
  return recipients.length > 0 && recipients.every((one) => typeof one === "function" || isAddress(one));
}

/** Whether a value is a list of patterns of domains. */
export function isDomains(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 &&
    value.every((pattern) => typeof pattern === "string" && domainPattern(pattern) !== undefined);
}

/** Whether a value is one bare address. */
export function isAddress(value: unknown): boolean {
  return typeof value === "string" && mailAddress(value) !== undefined;
}

/** A single value as a list of one. */
export function listOf<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? value : [value as T];
}

/** The ASCII form of a domain, or of all domains below one. */
function domainPattern(pattern: string): string | undefined {
  const domain = mailDomain(pattern.replace(/^\*\./, ""));
  return domain === undefined || !pattern.startsWith("*.") ? domain : `*.${domain}`;
}
