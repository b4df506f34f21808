import { LazyClient } from "../lazy_client.ts";
import { refuseProblems } from "../options/option_rules.ts";
import type { RefusedAddress, SmtpClient, SmtpMail } from "./smtp_client.ts";
import { addressOf, smtpOptionProblems, type SmtpTargetOptions } from "./smtp_options.ts";

export type { RefusedAddress, SmtpMail, SmtpTargetOptions };

/**
 * A client for a mail server. Connections are opened when needed, reused, and closed when idle.
 * Failures are thrown as errors that say whether to retry, and hold no secret.
 *
 * @example
 * ```ts
 * import { SmtpTarget } from "oss-watcher/kit";
 * import assert from "node:assert/strict";
 *
 * await using target = new SmtpTarget({ host: "127.0.0.1", port: 1, security: "none" });
 * const mail = { from: "oss-watcher@example.com", to: ["anna@example.com"], message: "Subject: hello\r\n\r\nhello\r\n" };
 *
 * await assert.rejects(target.send(mail, new AbortController().signal), { name: "DeliveryError", reason: "connection" });
 * ```
 */
export class SmtpTarget implements AsyncDisposable {
  /** `host:port`. */
  readonly address: string;
  readonly #client: LazyClient<SmtpClient>;

  /**
   * The problems for which the constructor would refuse these options: `option: what is allowed`
   * each, never with a value.
   */
  static problems(options: SmtpTargetOptions): string[] {
    return smtpOptionProblems(options);
  }

  /**
   * Does no I/O: files are read and the mail library is loaded at first use; changed files are read
   * again.
   *
   * @throws {TypeError} naming every option that is wrong.
   */
  constructor(options: SmtpTargetOptions) {
    refuseProblems("Cannot make SmtpTarget", SmtpTarget.problems(options));
    this.address = addressOf(options);
    this.#client = new LazyClient(async () => {
      const { SmtpClient } = await import("./smtp_client.ts");
      return new SmtpClient(options);
    });
  }

  /**
   * Sends a mail.
   *
   * @returns The recipients that the server refused while it accepted others.
   * @throws {PermanentError} when the server refuses it for good for all recipients (5yz).
   * @throws {DeliveryError} when the server does not accept it at present, refuses our credentials,
   * or cannot be reached.
   */
  async send(mail: SmtpMail, signal: AbortSignal): Promise<RefusedAddress[]> {
    return await (await this.#client.loaded()).send(mail, signal);
  }

  /**
   * Connects and logs in, without sending anything.
   *
   * @throws {DeliveryError} when that fails.
   */
  async check(signal: AbortSignal): Promise<void> {
    await (await this.#client.loaded()).check(signal);
  }

  /** Closes the connections. A later mail opens new ones. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
  }
}
