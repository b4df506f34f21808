import { DeliveryError } from "../../model/errors.ts";
import { FromFiles } from "../files/from_files.ts";
import { openHttpClient } from "./http_client.ts";
import { HttpFailures } from "./http_failure.ts";
import type { HttpTargetOptions } from "./http_options.ts";
import type { HttpAnswer, HttpRequest } from "./http_request.ts";
import { checkUrl, headersOf, secretsOf, shownUrlOf, standingHeaders } from "./http_request.ts";
import { type ClientCall, traced, type TraceHeaders } from "../tracing.ts";
import { TimeLimit } from "./time_limit.ts";

const DEFAULT_ANSWER_BYTES = 64 * 1024;

/** What `HttpTarget` does, with the modules that connect. */
export class HttpSender implements AsyncDisposable {
  readonly #maxAnswerBytes: number;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #limit: TimeLimit;
  readonly #failures: HttpFailures;
  readonly #client: FromFiles<Deno.HttpClient>;

  /** @param options Checked ones. */
  constructor(options: HttpTargetOptions) {
    this.#maxAnswerBytes = options.maxAnswerBytes ?? DEFAULT_ANSWER_BYTES;
    this.#headers = standingHeaders(options);
    this.#limit = new TimeLimit(options.timeoutSeconds ?? 30);
    this.#failures = new HttpFailures(secretsOf(options));
    this.#client = new FromFiles({
      files: [options.caFile, options.certFile, options.keyFile],
      open: () => openHttpClient(options),
      close: (client) => client.close(),
    });
  }

  async send(request: HttpRequest): Promise<HttpAnswer> {
    checkUrl(request);
    const call = () => callOf(request);
    return await traced(
      call,
      (trace) => this.#send(request, trace),
      ({ status }) => ({ "http.response.status_code": status }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
  }

  async #send(request: HttpRequest, trace: TraceHeaders): Promise<HttpAnswer> {
    const headers = { ...trace, ...headersOf(request, this.#headers) };
    const limited = this.#limit.begin(request.signal);
    const { signal } = limited;
    try {
      signal.throwIfAborted();
      return await this.#client.use((client) => this.#exchange(request, { headers, client, signal }));
    } catch (error) {
      if (error instanceof DeliveryError) throw error;
      if (signal.aborted) throw this.#failures.ended(request, signal.reason);
      throw this.#failures.unanswered(request, error, this.#client.refusal);
    } finally {
      this.#limit.end(limited);
    }
  }

  async #exchange(request: HttpRequest, { headers, client, signal }: Exchange): Promise<HttpAnswer> {
    const { method, url, body = null, accepts } = request;
    const response = await fetch(url, { method, headers, body, signal, client, redirect: "manual" });
    const { status } = response;
    if (response.ok || accepts?.(status)) {
      const { text, complete } = await readText(response, this.#maxAnswerBytes);
      return { status, headers: response.headers, text, complete };
    }
    // Without the body, the status alone makes the error.
    const answer = await readText(response, DEFAULT_ANSWER_BYTES).catch(() => ({ text: "", complete: true }));
    throw this.#failures.refused(request, response, answer);
  }
}

/** As the semantic conventions for HTTP say. */
function callOf(request: HttpRequest): ClientCall {
  const { protocol, hostname, port } = new URL(request.url);
  return {
    name: request.method,
    kind: "client",
    attributes: {
      "http.request.method": request.method,
      "url.full": shownUrlOf(request),
      "server.address": hostname,
      "server.port": Number(port) || (protocol === "https:" ? 443 : 80),
    },
  };
}

interface Exchange {
  readonly headers: Record<string, string>;
  readonly client: Deno.HttpClient;
  readonly signal: AbortSignal;
}

type Read = Pick<HttpAnswer, "text" | "complete">;

const NOTHING: Read = { text: "", complete: true };

/** Reads the body up to a length. */
async function readText(response: Response, maxBytes: number): Promise<Read> {
  if (response.body === null) return NOTHING;
  const { headers } = response;
  // The content-length of a compressed body is that of the compressed bytes.
  const bytes = headers.has("content-encoding") ? NaN : Number(headers.get("content-length") ?? NaN);
  if (bytes < maxBytes) return { text: await response.text(), complete: true };
  return await readPart(response.body, maxBytes);
}

/** Leaving the loop cancels the rest of the body. */
async function readPart(body: ReadableStream<Uint8Array<ArrayBuffer>>, maxBytes: number): Promise<Read> {
  const decoder = new TextDecoder();
  let text = "";
  let leftBytes = maxBytes;
  for await (const chunk of body) {
    text += decoder.decode(chunk.subarray(0, leftBytes), { stream: true });
    leftBytes -= chunk.length;
    if (leftBytes <= 0) return { text, complete: false };
  }
  return { text: text + decoder.decode(), complete: true };
}
