import type { Detail, Json, NotifyContext, Plugin, UpdateContext } from "../mod.ts";
import { PermanentError } from "../mod.ts";
import { type HttpRequest, HttpTarget, idempotencyKey, isAbsent, LineFile, printable } from "../src/kit/targets.ts";
import { givenOptions, optionProblems, refuseProblems } from "../src/kit/targets.ts";
import { DIRECTORY_RULES, type DirectoryNotifyOptions } from "./directory_options.ts";
import { hasOtherRecord, logEntry, recordOf } from "./directory_record.ts";

/**
 * Registers created servers with a directory service, by a {@linkcode DirectoryRecord} as JSON,
 * unregisters deleted ones, and logs both as nova_dirsvc_plugin did. With `updates`, registers a
 * changed server again. Ignores floating IPs. An event may come twice, with the same
 * `Idempotency-Key`.
 *
 * @example
 * ```ts
 * import { DirectoryNotify, type DirectoryNotifyOptions } from "oss-watcher/plugins";
 * import assert from "node:assert/strict";
 *
 * const options: DirectoryNotifyOptions = { url: "https://dirsvc.example.com/instances", methodDeletion: "DELETE" };
 *
 * assert.equal(new DirectoryNotify(options).name, "DirectoryNotify");
 * assert.throws(() => new DirectoryNotify({ ...options, url: "/instances" }), /url: must be a full URL/);
 * ```
 */
export class DirectoryNotify implements Plugin {
  readonly name: string;
  /**
   * Registers the server again, and logs that as a registration. Does nothing when its record is
   * the same. Fails as `notify` does. Only there with the option `updates`.
   */
  readonly update?: (detail: Detail, context: UpdateContext) => Promise<void>;
  /** The request that `update` would send, or a text. Only there with the option `updates`. */
  readonly previewUpdate?: (detail: Detail, context: UpdateContext) => Json;
  readonly #url: string;
  readonly #urlDeletion: string;
  readonly #methodDeletion: "POST" | "DELETE";
  readonly #python2: boolean;
  readonly #log: LineFile | null;
  readonly #target: HttpTarget;

  /**
   * Does no I/O.
   *
   * @throws {TypeError} naming every option that is wrong.
   */
  constructor(options: DirectoryNotifyOptions) {
    const given = givenOptions("DirectoryNotify", options);
    const { name = "DirectoryNotify", url, urlDeletion, methodDeletion, updates, ...others } = given;
    const { logFile, python2, ...http } = others;
    refuseProblems("Cannot make DirectoryNotify", [
      ...optionProblems(options, DIRECTORY_RULES),
      ...HttpTarget.problems(http),
    ]);
    this.name = name;
    this.#url = url;
    this.#urlDeletion = urlDeletion ?? url;
    this.#methodDeletion = methodDeletion ?? "POST";
    this.#python2 = python2 ?? false;
    this.#log = logFile === null ? null : new LineFile(logFile ?? LOG_FILE, "the directory log");
    this.#target = new HttpTarget(http);
    if (updates !== true) return;
    this.update = async (detail, context) => {
      if (hasOtherRecord(detail, context.before)) await this.#tell(detail, true, context);
    };
    this.previewUpdate = (detail, context) =>
      hasOtherRecord(detail, context.before)
        ? this.#preview(detail, true, context)
        : "nothing: the server's record has not changed";
  }

  /**
   * Registers or unregisters the server, then logs it. Does nothing for a floating IP.
   *
   * @throws {DeliveryError} when there is no answer, or one that is not from 200 to 299.
   * @throws {Error} when the log cannot be opened (nothing is sent) or written (the retry resends).
   * @throws {PermanentError} when the server has no id, or one that is unsafe in a URL.
   */
  async notify(detail: Detail, created: boolean, context: NotifyContext): Promise<void> {
    if (context.subject === "server") await this.#tell(detail, created, context);
  }

  /**
   * The request that {@linkcode DirectoryNotify.notify} would send; for a floating IP, a text that
   * says that there is none.
   */
  preview(detail: Detail, created: boolean, context: NotifyContext): Json {
    if (context.subject !== "server") return "nothing: a directory service is told of servers only";
    return this.#preview(detail, created, context);
  }

  /** Rejects when a URL does not answer OPTIONS or answers 401, or the log cannot be opened. */
  async check(signal: AbortSignal): Promise<void> {
    await this.#log?.check(signal);
    for (const url of new Set([this.#url, this.#urlDeletion])) await this.#target.probe(url, signal);
  }

  /** Closes the connections and the log. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#log?.[Symbol.asyncDispose]();
    await this.#target[Symbol.asyncDispose]();
  }

  async #tell(detail: Detail, created: boolean, context: Context): Promise<void> {
    const request = this.#request(detail, created, context);
    await this.#log?.open(context.signal);
    await this.#target.request({ ...request, signal: context.signal });
    await this.#log?.append(logEntry(detail, created, this.#python2));
  }

  #preview(detail: Detail, created: boolean, context: Context): Json {
    const request = this.#request(detail, created, context);
    return {
      ...this.#target.preview(request),
      body: request.body === undefined ? null : JSON.parse(request.body),
    };
  }

  #request(detail: Detail, created: boolean, { key, sequence }: Context): HttpRequest {
    if (detail.ID === null) throw new PermanentError("Cannot tell the directory service of a server: it has no ID");
    const headers = { "Idempotency-Key": idempotencyKey(key), "OSS-Watcher-Sequence": String(sequence) };
    if (!created && this.#methodDeletion === "DELETE") {
      // A server that is not registered is unregistered: an earlier attempt, or somebody else, was
      // first.
      return { method: "DELETE", url: urlOf(this.#urlDeletion, detail.ID), headers, accepts: isAbsent };
    }
    return {
      method: "POST",
      url: created ? this.#url : this.#urlDeletion,
      headers: { "Content-Type": "application/json", ...headers },
      body: JSON.stringify(recordOf(detail, created)),
    };
  }
}

type Context = NotifyContext | UpdateContext;

const LOG_FILE = "/var/log/nova/nova_dirsvc_plugin.log";

/** Refuses an id with `..` or a slash, which would change the URL's path. */
function urlOf(base: string, id: string): string {
  if (!/^[\w-]{1,64}$/.test(id)) {
    throw new PermanentError(`Cannot unregister the server "${printable(id, 80)}": not an id that a URL should hold`);
  }
  const url = new URL(base);
  url.pathname = `${url.pathname.replace(/\/$/, "")}/${id}`;
  return url.href;
}
