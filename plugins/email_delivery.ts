import { DeliveryError, type NotifyContext, PermanentError, type UpdateContext } from "../mod.ts";
import { printable, type RefusedAddress, type SmtpMail, type SmtpTarget } from "../src/kit/mod.ts";

/** Progress of the delivery of a mail, stored by `context.keep`. */
interface Progress {
  /** Addresses that need no further attempt. */
  readonly answered: readonly string[];
  /** Those among them that never get the mail, each with the server's answer. */
  readonly never: readonly string[];
}

type Context = NotifyContext | UpdateContext;

const MAX_LISTED = 5;

/**
 * Sends a mail to those of its recipients for whom no earlier attempt of the delivery has an
 * answer. Addresses that are refused for good, while others have the mail, are logged and noted.
 *
 * @throws {PermanentError} when the server refuses the mail for good for all recipients.
 * @throws {DeliveryError} when the server does not accept it at present for some or all, refuses
 * our credentials, or cannot be reached.
 */
export async function deliverMail(target: SmtpTarget, mail: SmtpMail, context: Context): Promise<void> {
  const earlier = progressOf(context);
  const open = mail.to.filter((address) => !earlier.answered.includes(address));
  const refused = open.length === 0 ? [] : await refusedOf(target, { ...mail, to: open }, context);
  const later = refused.filter(({ temporary }) => temporary);
  const never = [...earlier.never, ...refused.filter(({ temporary }) => !temporary).map(answerOf)];
  const outcome = (answers: readonly string[]) =>
    `${target.address} took the mail for ${printable(context.key, 200)}, but not for ${listed(answers)}`;
  if (later.length > 0) {
    const answered = mail.to.filter((address) => !later.some((one) => one.address === address));
    context.keep({ answered, never });
    throw new DeliveryError(outcome([...never, ...later.map(answerOf)]), { reason: "server_error" });
  }
  if (never.length === 0) return;
  context.note(outcome(never));
  context.log.warn(outcome(never));
}

/** The first of these, and how many more there are. */
export function listed(items: readonly string[]): string {
  const more = items.length > MAX_LISTED ? `, and ${items.length - MAX_LISTED} more` : "";
  return items.slice(0, MAX_LISTED).join(", ") + more;
}

/** Sends a mail. Once somebody has it, the refusal of all others makes no dead letter. */
async function refusedOf(
  target: SmtpTarget,
  mail: SmtpMail,
  context: Context,
): Promise<readonly RefusedAddress[]> {
  try {
    return await target.send(mail, context.signal);
  } catch (error) {
    const { answered, never } = progressOf(context);
    if (!(error instanceof PermanentError) || answered.length === never.length) throw error;
    return mail.to.map((address) => ({ address, answer: error.message, temporary: false }));
  }
}

function progressOf({ progress }: Context): Progress {
  const { answered, never } = (progress ?? {}) as Partial<Progress>;
  return { answered: answered ?? [], never: never ?? [] };
}

function answerOf({ address, answer }: RefusedAddress): string {
  return `${address} ("${answer}")`;
}
