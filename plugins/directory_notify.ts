import { type Detail, type Json, type NotifyContext, PermanentError, type Plugin } from "../mod.ts";
import { type HttpRequest, HttpTarget, type HttpTargetOptions, idempotencyKey, isAbsent } from "../src/kit/mod.ts";
import { givenOptions, isOneOf, isText, LineFile, required, TEXT, withoutHeaders } from "../src/kit/mod.ts";
import { optional, optionProblems, type OptionRules, printable, refuseProblems } from "../src/kit/mod.ts";
import { logEntry, recordOf } from "./directory_record.ts";

/**
 * Options of {@linkcode DirectoryNotify}, with those of `HttpTarget`: `user`, `password`, `bearer`,
 * `caFile`, `certFile`, …
 */
export interface DirectoryNotifyOptions extends HttpTargetOptions {
  /** Where servers are registered and unregistered: a full URL. */
  readonly url: string;
  /** Where servers are unregistered, if it is another one. @default `url` */
  readonly urlDeletion?: string;
  /**
   * `POST` sends `{"instance_uuid": …}` to the URL; `DELETE` sends no body, to the URL with
   * `/<uuid>` at its end. @default "POST"
   */
  readonly methodDeletion?: "POST" | "DELETE";
  /**
   * Gets an entry for every server once the directory service knows of it. May be rotated. `null`:
   * no log. @default "/var/log/nova/nova_dirsvc_plugin.log"
   */
  readonly logFile?: string | null;
  /**
   * Writes entries exactly as Python 2 did, with `u'…'`, for programs that read the log. @default
   * false
   */
  readonly python2?: boolean;
  /** Unique among the configured plugins. @default "DirectoryNotify" */
  readonly name?: string;
}

/**
 * Registers created servers with a directory service, by a {@linkcode DirectoryRecord} as JSON,
 * unregisters deleted ones, and logs both as nova_dirsvc_plugin did. Ignores floating IPs. An event
 * may come twice, with the same `Idempotency-Key`.
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
    const { name = "DirectoryNotify", url, urlDeletion, methodDeletion, logFile, python2, ...http } = given;
    refuseProblems("Cannot make DirectoryNotify", [...optionProblems(options, RULES), ...HttpTarget.problems(http)]);
    this.name = name;
    this.#url = url;
    this.#urlDeletion = urlDeletion ?? url;
    this.#methodDeletion = methodDeletion ?? "POST";
    this.#python2 = python2 ?? false;
    this.#log = logFile === null ? null : new LineFile(logFile ?? LOG_FILE, "the directory log");
    this.#target = new HttpTarget(http);
  }

  /**
   * Registers or unregisters the server, then logs it. Does nothing for a floating IP.
   *
   * @throws {DeliveryError} when there is no answer, or one that is not from 200 to 299.
   * @throws {Error} when the log cannot be opened (nothing is sent) or written (the retry resends).
   * @throws {PermanentError} when the server has no id, or one that is unsafe in a URL.
   */
  async notify(detail: Detail, created: boolean, context: NotifyContext): Promise<void> {
    if (context.subject !== "server") return;
    const request = this.#request(detail, created, context);
    await this.#log?.open(context.signal);
    await this.#target.request({ ...request, signal: context.signal });
    await this.#log?.append(logEntry(detail, created, this.#python2));
  }

  /**
   * The request that {@linkcode DirectoryNotify.notify} would send; for a floating IP, a text that
   * says that there is none.
   */
  preview(detail: Detail, created: boolean, context: NotifyContext): Json {
    if (context.subject !== "server") return "nothing: a directory service is told of servers only";
    const request = this.#request(detail, created, context);
    return {
      ...this.#target.preview(request),
      body: request.body === undefined ? null : JSON.parse(request.body),
    };
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

  #request(detail: Detail, created: boolean, { key }: NotifyContext): HttpRequest {
    if (detail.ID === null) throw new PermanentError("Cannot tell the directory service of a server: it has no ID");
    const headers = { "Idempotency-Key": idempotencyKey(key) };
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

const LOG_FILE = "/var/log/nova/nova_dirsvc_plugin.log";
const WHERE = "must be a full URL, without user and password";

type OwnOption = Exclude<keyof DirectoryNotifyOptions, keyof HttpTargetOptions> | "headers";
const RULES: OptionRules<DirectoryNotifyOptions, OwnOption> = {
  name: TEXT,
  url: required(HttpTarget.isUrl, WHERE),
  urlDeletion: optional(HttpTarget.isUrl, WHERE),
  methodDeletion: optional(isOneOf("POST", "DELETE"), "must be POST or DELETE"),
  logFile: optional((file) => file === null || isText(file), "must be the path of a file, or null for none"),
  python2: optional((value) => typeof value === "boolean", "must be true or false"),
  headers: withoutHeaders("content-type", "idempotency-key"),
};

/** Refuses an id with `..` or a slash, which would change the URL's path. */
function urlOf(base: string, id: string): string {
  if (!/^[\w-]{1,64}$/.test(id)) {
    throw new PermanentError(`Cannot unregister the server "${printable(id, 80)}": not an id that a URL should hold`);
  }
  const url = new URL(base);
  url.pathname = `${url.pathname.replace(/\/$/, "")}/${id}`;
  return url.href;
}
