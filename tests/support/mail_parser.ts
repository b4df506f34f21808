/** A mail as Python's `email` package reads it: a parser that has nothing in common with what wrote the mail. */
export interface ParsedMail {
  /** In their order, with the names as written and the values decoded. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly from: readonly Mailbox[];
  readonly to: readonly Mailbox[];
  /** ISO 8601. */
  readonly date: string;
  readonly contentType: string;
  /** Parts that hold no parts; lines end in a line feed. */
  readonly parts: readonly { readonly type: string; readonly text: string }[];
  /** What is wrong with its structure or its headers. */
  readonly defects: readonly string[];
}

interface Mailbox {
  readonly name: string;
  readonly address: string;
}

const PROGRAM = `
import base64, email, email.policy, json, sys
def boxes(header):
    return [{"name": a.display_name, "address": a.addr_spec} for a in header.addresses] if header else []
for line in sys.stdin:
    mail = email.message_from_bytes(base64.b64decode(line), policy=email.policy.default)
    parts = list(mail.walk())
    defects = [d for p in parts for d in p.defects] + [d for p in parts for v in p.values() for d in v.defects]
    print(json.dumps({
        "headers": [[name, str(value)] for name, value in mail.items()],
        "from": boxes(mail["from"]),
        "to": boxes(mail["to"]),
        "date": mail["date"].datetime.isoformat() if mail["date"] else "",
        "contentType": mail.get_content_type(),
        "parts": [{"type": p.get_content_type(), "text": p.get_content().replace("\\r\\n", "\\n")} for p in parts if not p.is_multipart()],
        "defects": [repr(d) for d in defects],
    }), flush=True)
`;

/** One Python for many mails; it ends with us. */
export class MailParser implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #answers: ReadableStreamDefaultReader<string>;
  #rest = "";
  /** Settles when the last mail that was asked for is read; never rejects. */
  #idle: Promise<unknown> = Promise.resolve();

  constructor() {
    const command = new Deno.Command("python3", { args: ["-c", PROGRAM], stdin: "piped", stdout: "piped" });
    this.#process = command.spawn();
    this.#input = this.#process.stdin.getWriter();
    this.#answers = this.#process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** @param message As it came over the wire. */
  parse(message: Uint8Array): Promise<ParsedMail> {
    const parsed = this.#idle.then(async () => {
      await this.#input.write(new TextEncoder().encode(`${message.toBase64()}\n`));
      return JSON.parse(await this.#line()) as ParsedMail;
    });
    this.#idle = parsed.catch(() => undefined);
    return parsed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close();
    await this.#answers.cancel();
    await this.#process.status;
  }

  async #line(): Promise<string> {
    while (!this.#rest.includes("\n")) {
      const { value, done } = await this.#answers.read();
      if (done) throw new Error("Cannot read a mail: Python has ended");
      this.#rest += value;
    }
    const end = this.#rest.indexOf("\n");
    const line = this.#rest.slice(0, end);
    this.#rest = this.#rest.slice(end + 1);
    return line;
  }
}
