import { DeliveryError, PermanentError } from "../../model/errors.ts";
import { Deadline } from "../deadline.ts";
import { printable } from "../escaping/printable.ts";
import { DnsConnection } from "./dns_connection.ts";
import { keyRefusedBy, notAnAnswer, RCODE, refusedBy, type ServerFailure, unreachable } from "./dns_failure.ts";
import { CLASS, decodeMessage, encodeMessage, OPCODE, type RawMessage, TYPE } from "./dns_message.ts";
import { encodeName, isInZone, isSameName, readName } from "./dns_name.ts";
import { type DnsServer, type DnsTargetOptions, keyOf, serversOf, serverText } from "./dns_options.ts";
import { type DnsRecord, type DnsRecordType, recordOf } from "./dns_record.ts";
import { TsigExchange, type TsigKey } from "./dns_tsig.ts";
import { type DnsZoneUpdate, updateMessage } from "./dns_update_message.ts";

/** A request to whichever server answers. */
interface Request {
  /** Begins error texts: `Cannot update the zone "…"`. */
  readonly cannot: string;
  readonly message: (id: number) => RawMessage;
  /** Codes that are no failure. */
  readonly accepts: readonly number[];
  /** Codes that are no failure even in an answer that is not signed. */
  readonly acceptsUnsigned?: readonly number[];
  readonly signal: AbortSignal;
}

/** Answers to an UPDATE of which a prerequisite did not hold. */
const PREREQUISITE: readonly number[] = [RCODE.NXDOMAIN, RCODE.YXDOMAIN, RCODE.YXRRSET, RCODE.NXRRSET];

/** What one server has failed in. It is caught here, and never leaves this file. */
class Failed extends Error {
  constructor(readonly failure: ServerFailure) {
    super(failure.error.message);
  }
}

/** What `DnsTarget` does, with the modules that connect, encode and sign. */
export class DnsClient {
  readonly #servers: readonly DnsServer[];
  readonly #key: TsigKey;
  readonly #timeoutSeconds: number;
  /** Index of the server to try first. */
  #first = 0;

  /** @param options Checked ones. */
  constructor(options: DnsTargetOptions) {
    this.#servers = serversOf(options);
    this.#key = keyOf(options);
    this.#timeoutSeconds = options.timeoutSeconds ?? 5;
  }

  async query(name: string, type: DnsRecordType, signal: AbortSignal): Promise<readonly DnsRecord[] | null> {
    const { isAuthoritative, answers } = await this.#run({
      cannot: `Cannot look up "${shown(name)}"`,
      message: (id) => queryMessage(id, name, TYPE[type]),
      accepts: [RCODE.NOERROR, RCODE.NXDOMAIN],
      signal,
    });
    if (!isAuthoritative) return null;
    const records = answers.filter((record) => isSameName(record.name, name)).map(recordOf);
    return records.filter((record) => record?.type === type) as DnsRecord[];
  }

  async zoneOf(name: string, signal: AbortSignal): Promise<string | null> {
    const { isAuthoritative, rcode, answers, authorities } = await this.#run({
      cannot: `Cannot find the zone of "${shown(name)}"`,
      message: (id) => queryMessage(id, name, TYPE.SOA),
      accepts: [RCODE.NOERROR, RCODE.NXDOMAIN, RCODE.REFUSED, RCODE.NOTAUTH],
      // Knot does not sign its answer about a zone that it does not have.
      acceptsUnsigned: [RCODE.REFUSED],
      signal,
    });
    if (!isAuthoritative || rcode === RCODE.REFUSED || rcode === RCODE.NOTAUTH) return null;
    const soa = [...answers, ...authorities].find(({ type, name: zone }) => type === TYPE.SOA && isInZone(name, zone));
    return soa === undefined || hasNoMailbox(soa.data) ? null : soa.name;
  }

  async update(update: DnsZoneUpdate, signal: AbortSignal): Promise<boolean> {
    const { rcode } = await this.#run({
      cannot: `Cannot update the zone "${shown(update.zone)}"`,
      message: (id) => updateMessage(id, update),
      accepts: [RCODE.NOERROR, ...PREREQUISITE],
      signal,
    });
    return rcode === RCODE.NOERROR;
  }

  async *transfer(zone: string, signal: AbortSignal): AsyncGenerator<DnsRecord, void> {
    const cannot = `Cannot transfer the zone "${shown(zone)}"`;
    const message = (id: number) => queryMessage(id, zone, TYPE.AXFR);
    const failures: Failed[] = [];
    for (const { server, at } of this.#inTurn()) {
      const answers = this.#exchange(server, { cannot, message, accepts: [RCODE.NOERROR], signal });
      let soas = 0;
      try {
        for await (const { message: { answers: records }, isSigned } of answers) {
          for (const record of records) {
            if (record.type === TYPE.SOA) soas++;
            const one = recordOf(record);
            if (one !== null && isInZone(one.name, zone)) yield one;
          }
          if (soas === 0) throw new Failed(notAnAnswer(cannot, "the transfer does not begin with a SOA record"));
          if (soas < 2) continue;
          if (!isSigned) throw new Failed(notAnAnswer(cannot, "the end of the transfer is not signed"));
          this.#first = at;
          return;
        }
      } catch (error) {
        // Records that were yielded cannot be taken back: only a server that gave none is followed
        // by another.
        if (!(error instanceof Failed) || !error.failure.movesOn || soas > 0) throw errorOf(error);
        failures.push(error);
      }
    }
    throw together(failures);
  }

  /** One message of the answer, of the first server that gives one. */
  async #run(request: Request): Promise<RawMessage> {
    const failures: Failed[] = [];
    for (const { server, at } of this.#inTurn()) {
      try {
        for await (const { message } of this.#exchange(server, request)) {
          this.#first = at;
          return message;
        }
      } catch (error) {
        if (!(error instanceof Failed) || !error.failure.movesOn) throw errorOf(error);
        failures.push(error);
      }
    }
    throw together(failures);
  }

  *#inTurn(): Generator<{ readonly server: DnsServer; readonly at: number }, void> {
    const first = this.#first;
    for (let turn = 0; turn < this.#servers.length; turn++) {
      const at = (first + turn) % this.#servers.length;
      yield { server: this.#servers[at] as DnsServer, at };
    }
  }

  /** Sends a request, and yields the messages of its answer until the caller has enough. */
  async *#exchange(
    server: DnsServer,
    { cannot, message, accepts, acceptsUnsigned = [], signal }: Request,
  ): AsyncGenerator<{ readonly message: RawMessage; readonly isSigned: boolean }, void> {
    const cannotHere = `${cannot} on ${serverText(server)}`;
    const request = message(crypto.getRandomValues(new Uint16Array(1))[0] as number);
    const bytes = encoded(cannot, request);
    const tsig = new TsigExchange(this.#key, Date.now);
    const limited = <T>(work: (signal: AbortSignal) => Promise<T>) => this.#limited(cannotHere, { signal, work });
    // Each message has a time limit of its own; the connection ends with the caller's signal.
    const end = new AbortController();
    try {
      const connection = await limited(async (signal) => {
        const opened = await DnsConnection.open(server, AbortSignal.any([signal, end.signal]));
        await opened.send(await tsig.sign(bytes));
        return opened;
      });
      using _open = connection;
      for (;;) {
        const answer = await limited((signal) => received(connection, signal));
        const read = await believed(cannotHere, { request, answer, tsig, acceptsUnsigned });
        if (!accepts.includes(read.rcode)) throw new Failed(refusedBy(cannotHere, read.rcode, true));
        yield { message: read, isSigned: tsig.isSigned };
      }
    } finally {
      end.abort();
    }
  }

  async #limited<T>(
    cannot: string,
    { signal, work }: { readonly signal: AbortSignal; readonly work: (signal: AbortSignal) => Promise<T> },
  ): Promise<T> {
    using deadline = new Deadline(signal, this.#timeoutSeconds);
    try {
      return await deadline.race(work(deadline.signal));
    } catch (error) {
      if (error instanceof Failed || error instanceof PermanentError) throw error;
      if (!deadline.signal.aborted) throw new Failed(unreachable(cannot, error));
      throw new Failed({ error: deadline.failure(cannot), movesOn: !signal.aborted });
    }
  }
}

/** The next message; an aborted wait ends the connection. */
async function received(connection: DnsConnection, signal: AbortSignal): Promise<Uint8Array> {
  const onAbort = () => connection[Symbol.dispose]();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await connection.receive();
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** The message of an answer that is to this request, and by a server that has the key. */
async function believed(
  cannot: string,
  { request, answer, tsig, acceptsUnsigned }: Pick<Required<Request>, "acceptsUnsigned"> & {
    readonly request: RawMessage;
    readonly answer: Uint8Array;
    readonly tsig: TsigExchange;
  },
): Promise<RawMessage> {
  try {
    const message = decodeMessage(answer);
    const { id, isAnswer, opcode, rcode, isTruncated } = message;
    if (id !== request.id || !isAnswer || opcode !== request.opcode) throw new SyntaxError("it is to another message");
    const verdict = await tsig.verify(answer, message);
    if (verdict.state === "refused") throw new Failed(keyRefusedBy(cannot, verdict.error));
    if (verdict.state === "wrong") throw new SyntaxError(`its signature ${verdict.why}`);
    if (verdict.state === "unsigned" && !acceptsUnsigned.includes(rcode)) {
      throw rcode === RCODE.NOERROR ? new SyntaxError("it is not signed") : new Failed(refusedBy(cannot, rcode, false));
    }
    if (isTruncated) throw new SyntaxError("it is cut short");
    return message;
  } catch (error) {
    throw error instanceof SyntaxError || error instanceof RangeError
      ? new Failed(notAnAnswer(cannot, error.message))
      : error;
  }
}

function queryMessage(id: number, name: string, type: number): RawMessage {
  const none = { answers: [], authorities: [], additionals: [] };
  const flags = { isAnswer: false, isAuthoritative: false, isTruncated: false, rcode: 0 };
  return { id, opcode: OPCODE.QUERY, ...flags, questions: [{ name, type, class: CLASS.IN }], ...none };
}

/** @throws {PermanentError} when the message cannot be sent: every attempt would make the same one. */
function encoded(cannot: string, message: RawMessage): Uint8Array {
  try {
    return encodeMessage(message);
  } catch (error) {
    throw new PermanentError(`${cannot}: ${error instanceof Error ? error.message : error}`);
  }
}

/** A zone that is empty by default has no mailbox of a person who keeps it. */
function hasNoMailbox(soa: Uint8Array): boolean {
  const [, at] = readName(soa, 0);
  return encodeName(readName(soa, at)[0]).length === 1;
}

function errorOf(error: unknown): unknown {
  return error instanceof Failed ? error.failure.error : error;
}

/** One error for the failures of all servers. */
function together(failures: readonly Failed[]): Error {
  const [first, ...more] = failures.map(({ failure }) => failure.error);
  if (first === undefined || more.length === 0) return first ?? new Error("Cannot reach a server: there is none");
  return new DeliveryError([first, ...more].map(({ message }) => message).join("; "), {
    reason: first instanceof DeliveryError ? first.reason : "other",
  });
}

function shown(name: string): string {
  return printable(name, 80);
}
