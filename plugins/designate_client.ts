import { DeliveryError, type Json, PermanentError } from "../mod.ts";
import { type OpenStackAnswer, type OpenStackTarget, printable } from "../src/kit/mod.ts";

type JsonObject = NonNullable<OpenStackAnswer["body"]>;

/** A request to Designate. */
export interface DesignateRequest {
  /** @default "GET" */
  readonly method?: string;
  /** Below `/v2`. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Json;
  /** Refusals that are an answer. */
  readonly handles?: readonly number[];
}

const PAGE = 500;
const MAX_QUOTED_LENGTH = 300;

/** What to do about a refusal. */
const ADVICE: Readonly<Record<number, string>> = {
  403: "let the login's account do this, as docs/DNS.md says",
  404: "make the zone, or set zones",
  409: "it is tried again",
  413: "raise the quota of the zone's project (openstack dns quota set)",
};

/** Requests to Designate, with what its refusals mean for a delivery. */
export class DesignateClient {
  readonly #target: OpenStackTarget;

  constructor(target: OpenStackTarget) {
    this.#target = target;
  }

  /**
   * @throws {PermanentError} when Designate will never take what is written.
   * @throws {DeliveryError} when it refuses at present, or gives no answer.
   */
  async ask({ handles = [], ...request }: DesignateRequest, signal: AbortSignal): Promise<OpenStackAnswer> {
    const answer = await this.#target.request({ ...request, handles: [...handles, 409, 413], signal });
    if (answer.status < 300 || handles.includes(answer.status)) return answer;
    throw refusal(request.method ?? "GET", answer);
  }

  /** The rows of a list, page by page. The path ends in `?` or `&`. */
  async *rows({ path, headers }: DesignateRequest, signal: AbortSignal): AsyncGenerator<JsonObject, void> {
    const kind = /(\w+)\?/.exec(path)?.[1] ?? "";
    for (let marker = "";;) {
      const { body } = await this.ask({ path: `${path}limit=${PAGE}${marker}`, headers }, signal);
      const rows = body?.[kind];
      if (!Array.isArray(rows)) {
        throw new DeliveryError(`Cannot read ${kind} of Designate: the answer has none`, { reason: "other" });
      }
      yield* rows as readonly JsonObject[];
      if (rows.length < PAGE) return;
      marker = `&marker=${(rows.at(-1) as JsonObject)["id"]}`;
    }
  }
}

function refusal(method: string, { status, url, body, errorMessage }: OpenStackAnswer): Error {
  const said = errorMessage !== "" ? errorMessage : JSON.stringify(body?.["errors"] ?? body?.["type"] ?? "no word");
  const text = `Cannot ${method} ${url.split("?")[0]}: ${status}: "${printable(said, MAX_QUOTED_LENGTH)}"`;
  // No repetition helps a record that Designate does not take.
  if (status === 400 && method !== "GET") return new PermanentError(text);
  const advice = ADVICE[status] ?? "see Designate's own log";
  return new DeliveryError(`${text}; ${advice}`, { reason: "client_error", status });
}
