import { mailAddress } from "../src/kit/targets.ts";

/** The sender of a mail. */
export interface MailSender {
  /** Empty: none. */
  readonly name: string;
  readonly address: string;
  readonly domain: string;
}

/**
 * The sender that a text names: `anna@example.com` or `Anna <anna@example.com>`; `undefined`: none.
 */
export function mailSender(from: unknown): MailSender | undefined {
  if (typeof from !== "string") return undefined;
  const [, name = "", address = from] = /^([^<>"\\\p{C}]*)<([^<>]+)>$/u.exec(from) ?? [];
  const mailbox = mailAddress(address);
  return mailbox === undefined ? undefined : { name: name.trim(), ...mailbox };
}
