import { openOperations } from "../../ledger/open_ledger.ts";
import { placeOf } from "../../ledger/place.ts";
import type { LedgerOperations } from "../../model/operations.ts";
import type { LoadedConfig } from "../../config/load_config.ts";
import type { Clock } from "../../model/clock.ts";
import { UserError } from "../../model/errors.ts";
import { LedgerUnavailable } from "../../model/ledger.ts";
import type { Logger } from "../../model/plugin.ts";
import { redact } from "../../wire/secrets/redact.ts";
import { mismatch, type Schema } from "../api/api_schema.ts";
import { type ApiRoute, ROUTES } from "../api/routes.ts";
import { SCHEMAS } from "../api/schemas.ts";
import type { WorkerAnswer, WorkerCall } from "../worker_messages.ts";
import { makeHandlers } from "./handlers.ts";
import { Refused, type WorkerContext, type WorkerHandler, type WorkerRequest } from "./worker_context.ts";

export interface ConsoleWorkerOptions {
  readonly loaded: LoadedConfig;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: (part: string) => Logger;
  /** Whether work goes on that nobody waits for. */
  readonly onBusy: (isBusy: boolean) => void;
}

/** Answers the console's questions, in an isolate of its own. */
export class ConsoleWorker {
  readonly #context: WorkerContext;
  readonly #loaded: LoadedConfig;
  readonly #handlers: Readonly<Record<string, WorkerHandler>> = makeHandlers();
  #ledger: Promise<LedgerOperations> | undefined;
  #background = 0;

  constructor({ loaded, clock, random, log, onBusy }: ConsoleWorkerOptions) {
    this.#loaded = loaded;
    this.#context = {
      loaded,
      plugins: new Map(loaded.config.plugins.map((plugin, index) => [loaded.pluginNames[index] as string, plugin])),
      clock,
      random,
      log,
      withLedger: (work) => this.#withLedger(work),
      onBackground: (change) => {
        this.#background += change;
        onBusy(this.#background > 0);
      },
    };
  }

  /** Never rejects. */
  async answer({ route, query, body, who }: WorkerCall): Promise<WorkerAnswer> {
    try {
      const handler = this.#handlers[route];
      if (handler === undefined) throw new Error(`Cannot answer "${route}": there is no such operation`);
      const request: WorkerRequest = { query, body: body === null ? undefined : readBody(route, body), who };
      return jsonAnswer(200, await handler(request, this.#context));
    } catch (error) {
      const status = statusOf(error);
      if (status === 500) this.#context.log("console").error(`Cannot answer "${route}": ${textOf(error)}`);
      return jsonAnswer(status, { error: redact(textOf(error)) });
    }
  }

  /** A ledger that could not be opened, or is unavailable, is opened anew for the next question. */
  async #withLedger<T>(work: (ledger: LedgerOperations) => Promise<T>): Promise<T> {
    const opening = this.#ledger ??= openOperations(placeOf(this.#loaded.config.ledger));
    let ledger: LedgerOperations;
    try {
      ledger = await opening;
    } catch (error) {
      if (this.#ledger === opening) this.#ledger = undefined;
      throw error;
    }
    try {
      return await work(ledger);
    } catch (error) {
      if (error instanceof LedgerUnavailable && this.#ledger === opening) {
        this.#ledger = undefined;
        await Promise.resolve(ledger[Symbol.asyncDispose]()).catch(() => {});
      }
      throw error;
    }
  }
}

function readBody(route: string, bytes: Uint8Array): unknown {
  const { body } = (ROUTES as Readonly<Record<string, ApiRoute>>)[route] ?? {};
  if (body === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new Refused(400, "Cannot read the request: its body is no JSON. Send application/json");
  }
  const wrong = mismatch(value, SCHEMAS[body] as Schema);
  if (wrong !== null) throw new Refused(400, `Cannot use the request: ${wrong}. See /api/v1/openapi.json`);
  return value;
}

function jsonAnswer(status: number, value: unknown): WorkerAnswer {
  return { status, body: new TextEncoder().encode(JSON.stringify(value)) };
}

function statusOf(error: unknown): number {
  if (error instanceof Refused) return error.status;
  if (error instanceof LedgerUnavailable) return 503;
  return error instanceof UserError ? 409 : 500;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
