import { Buffer } from "node:buffer";
import type { AddressInfo } from "node:net";
import { type Behaviour, type TargetHarness, TcpGate } from "oss-watcher/testing";
import { SMTPServer, type SMTPServerDataStream, type SMTPServerOptions, type SMTPServerSession } from "smtp-server";
import type { MailParser, ParsedMail } from "./mail_parser.ts";

/** A mail that an {@linkcode SmtpHarness} has taken. */
export interface TakenMail {
  readonly from: string;
  readonly to: readonly string[];
  /** As it came over the wire. */
  readonly message: string;
  readonly mail: ParsedMail;
}

/** What a server says instead of yes, and where in the conversation. */
export interface Refusal {
  readonly at: "connect" | "auth" | "mail" | "rcpt" | "data";
  readonly code: number;
  /** Of these recipients only. */
  readonly recipients?: readonly string[];
}

/** How a server is safe, and whom it knows. */
export interface SmtpHarnessOptions {
  readonly parser: MailParser;
  /** @default "none" */
  readonly security?: "starttls" | "tls" | "none";
  readonly cert?: string;
  readonly key?: string;
  /** The authority of the certificates that clients must show. Without it they need none. */
  readonly clientCa?: string;
  /** Without it, everybody may send. */
  readonly login?: { readonly user: string; readonly password: string };
  /** Of the SMTP server itself. */
  readonly server?: SMTPServerOptions;
}

const REFUSALS: Readonly<Partial<Record<Behaviour, readonly Refusal[]>>> = {
  unauthorized: [{ at: "auth", code: 535 }, { at: "mail", code: 530 }],
  busy: [{ at: "mail", code: 451 }],
  fails: [{ at: "data", code: 452 }],
  refuses: [{ at: "data", code: 554 }],
};

/** A real SMTP server on the loopback interface. */
export class SmtpHarness implements TargetHarness<TakenMail> {
  /** The name, or address, and port to connect to. */
  readonly host: string;
  readonly port: number;
  /** Names that clients have called themselves, and users that they have logged in as. */
  readonly clientNames: string[] = [];
  readonly users: string[] = [];
  #options: SmtpHarnessOptions;
  readonly #gate: TcpGate;
  #server: SMTPServer;
  #refusals: readonly Refusal[] = [];
  #taken: Promise<TakenMail>[] = [];

  private constructor(options: SmtpHarnessOptions, server: SMTPServer, port: number) {
    this.#options = options;
    this.#server = server;
    this.#gate = new TcpGate({ hostname: "127.0.0.1", port });
    this.host = options.cert === undefined ? "127.0.0.1" : "localhost";
    this.port = this.#gate.port;
  }

  /** Starts the server on a free port. */
  static async open(options: SmtpHarnessOptions): Promise<SmtpHarness> {
    const handlers: Handlers = {};
    const server = makeServer(options, handlers);
    const harness = new SmtpHarness(options, server, await listen(server, 0));
    handlers.harness = harness;
    return harness;
  }

  behave(behaviour: Behaviour): void {
    this.#gate.set(behaviour === "down" || behaviour === "breaks" || behaviour === "hangs" ? behaviour : "passes");
    this.#refusals = REFUSALS[behaviour] ?? [];
  }

  /** Refuses from now on. */
  refuse(...refusals: readonly Refusal[]): void {
    this.#gate.set("passes");
    this.#refusals = refusals;
  }

  reached(): Promise<void> {
    return this.#gate.reached();
  }

  /** The mails since the last call. */
  async taken(): Promise<readonly TakenMail[]> {
    const taken = this.#taken;
    this.#taken = [];
    return await Promise.all(taken);
  }

  /** Ends the server and its connections, and starts another one in its place, with other options where they are given. */
  async restart(options: Partial<SmtpHarnessOptions> = {}): Promise<void> {
    this.#options = { ...this.#options, ...options };
    const { port } = this.#server.server.address() as AddressInfo;
    await close(this.#server);
    this.#server = makeServer(this.#options, { harness: this });
    await listen(this.#server, port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#gate[Symbol.asyncDispose]();
    await close(this.#server);
  }

  /** What the server has against this, if it has something. */
  refusal(at: Refusal["at"], recipient?: string): Error | null {
    const found = this.#refusals.find((refusal) =>
      refusal.at === at && (refusal.recipients?.includes(recipient ?? "") ?? true)
    );
    return found === undefined ? null : answer(found.code, `no\u202e ${recipient ?? at}`);
  }

  take(session: SMTPServerSession, message: Uint8Array): void {
    const { mailFrom, rcptTo } = session.envelope;
    const parsed = this.#options.parser.parse(message).then((mail) => ({
      from: mailFrom === false ? "" : mailFrom.address,
      to: rcptTo.map(({ address }) => address),
      message: new TextDecoder("latin1").decode(message),
      mail,
    }));
    // Not every test looks at every mail; when the parser has ended before, nobody is to hear of it.
    parsed.catch(() => undefined);
    this.#taken.push(parsed);
  }
}

/** The server is made before the harness that it tells. */
interface Handlers {
  harness?: SmtpHarness;
}

function makeServer(options: SmtpHarnessOptions, handlers: Handlers): SMTPServer {
  const { security = "none", cert, key, clientCa, login, server: own } = options;
  const refusal = (at: Refusal["at"], recipient?: string) => handlers.harness?.refusal(at, recipient) ?? null;
  const server = new SMTPServer({
    secure: security === "tls",
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
    ...(clientCa === undefined ? {} : { ca: [clientCa], requestCert: true, rejectUnauthorized: true }),
    disabledCommands: [...(security === "starttls" ? [] : ["STARTTLS"]), ...(login === undefined ? ["AUTH"] : [])],
    authOptional: login === undefined,
    allowInsecureAuth: security === "none",
    closeTimeout: 10,
    disableReverseLookup: true,
    onConnect: (_session, done) => done(refusal("connect")),
    onAuth: ({ username = "", password }, _session, done) => {
      const isKnown = username === login?.user && password === login.password;
      if (isKnown) handlers.harness?.users.push(username);
      // As careless servers do.
      const unknown = answer(535, `who is ${username} with ${password}, ${btoa(`\0${username}\0${password}`)}?`);
      done(isKnown ? refusal("auth") : unknown, { user: username });
    },
    onMailFrom: (_address, session, done) => {
      handlers.harness?.clientNames.push(String(session.hostNameAppearsAs));
      done(refusal("mail"));
    },
    onRcptTo: ({ address }, _session, done) => done(refusal("rcpt", address)),
    onData: (stream, session, done) => {
      read(stream).then((message) => {
        const error = refusal("data");
        if (error === null) handlers.harness?.take(session, message);
        done(error);
      }, done);
    },
    ...own,
  });
  // Clients that break off are what some tests are about.
  server.on("error", () => {});
  return server;
}

function answer(responseCode: number, text: string): Error {
  return Object.assign(new Error(text), { responseCode });
}

async function read(stream: SMTPServerDataStream): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function listen(server: SMTPServer, port: number): Promise<number> {
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return (server.server.address() as AddressInfo).port;
}

async function close(server: SMTPServer): Promise<void> {
  await new Promise<void>((resolve) => server.close(resolve));
}
