import type { Detail, Json, NotifyContext } from "../mod.ts";
import { HttpTarget, type HttpTargetOptions, LineFile } from "../src/kit/mod.ts";
import { DeliveryError, PermanentError, type Plugin } from "../mod.ts";
import { givenOptions, idempotencyKey, printable, pythonRepr } from "../src/kit/mod.ts";

/** Options of {@linkcode DirectoryNotify}, with those of `HttpTarget`: `user`, `password`, `bearer`, `caFile`, `certFile`, … */
export interface DirectoryNotifyOptions extends HttpTargetOptions {
  /** Where servers are registered and unregistered: a full URL. */
  readonly url: string;
  /** Where servers are unregistered, if it is another one. @default `url` */
  readonly urlDeletion?: string;
  /** `POST` sends `{"instance_uuid": …}` to the URL; `DELETE` sends no body, to the URL with `/<uuid>` at its end. @default "POST" */
  readonly methodDeletion?: "POST" | "DELETE";
  /** Gets an entry for every server once the service knows of it. May be rotated. `null`: none. @default "/var/log/nova/nova_dirsvc_plugin.log" */
  readonly logFile?: string | null;
  /** Entries to the letter as Python 2 wrote them, `u'…'` and all, for programs that read the log. @default false */
  readonly python2?: boolean;
  /** Unique among the configured plugins. @default "DirectoryNotify" */
  readonly name?: string;
}

/** What a directory service is told of a server: the DICT of nova_dirsvc_plugin. Unknown is `null`. */
export interface DirectoryRecord {
  /** The UUID of the server's image. */
  readonly image_uuid: string | null;
  /** The server's UUID. */
  readonly instance_uuid: string | null;
  /** The MAC address of the server's main port. */
  readonly mac_address: string | null;
  /** The name of the server's project. */
  readonly project_name: string | null;
  /** The name of the server's user. */
  readonly user_name: string | null;
  /** The address from which the server was asked for. */
  readonly user_remote_address: string | null;
}

/** The record of a server, from the detail of its creation. */
export function directoryRecord(detail: Detail): DirectoryRecord {
  return {
    image_uuid: detail.ImageID,
    instance_uuid: detail.ID,
    mac_address: detail.MAC,
    project_name: detail.ProjectName,
    user_name: detail.UserName,
    user_remote_address: detail.RemoteAddress,
  };
}

/**
 * Registers servers with a directory service when they come, with {@linkcode DirectoryRecord} as JSON, and unregisters them when they
 * go, and keeps nova_dirsvc_plugin's log of both. Floating IPs are none of its business. An event may come twice: `Idempotency-Key` tells.
 *
 * @example
 * ```ts
 * import { DirectoryNotify, type DirectoryNotifyOptions, type DirectoryRecord, directoryRecord } from "oss-watcher/plugins";
 * import { sampleEvent } from "oss-watcher/testing";
 * import assert from "node:assert/strict";
 *
 * const options: DirectoryNotifyOptions = { url: "https://dirsvc.example.com/instances", methodDeletion: "DELETE" };
 *
 * assert.equal(new DirectoryNotify(options).name, "DirectoryNotify");
 * assert.throws(() => new DirectoryNotify({ ...options, url: "/instances" }), /url: must be a full URL/);
 *
 * const record: DirectoryRecord = {
 *   image_uuid: "035c2bc7-f2be-4607-afcf-c3b6237e9fe5",
 *   instance_uuid: "00000001-debe-43ae-a555-28a4a5d84694",
 *   mac_address: "fa:16:3e:00:00:01",
 *   project_name: "admin",
 *   user_name: "admin",
 *   user_remote_address: "192.168.122.97",
 * };
 * assert.deepEqual(directoryRecord(sampleEvent().detail), record);
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
    const { name = "DirectoryNotify", url, urlDeletion, methodDeletion, logFile, python2, ...http } = givenOptions(
      "DirectoryNotify",
      options,
    );
    const problems = [...problemsOf(options), ...HttpTarget.problems(http)];
    if (problems.length > 0) throw new TypeError(`Cannot make DirectoryNotify: ${problems.join("; ")}`);
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
   * @throws {Error} when the log cannot be opened: then nothing is sent; or not be written: then the event comes again.
   * @throws {PermanentError} when the server has no id, or one that no URL should hold.
   */
  async notify(detail: Detail, created: boolean, context: NotifyContext): Promise<void> {
    if (context.subject !== "server") return;
    const request = this.#request(detail, created, context);
    await this.#log?.open(context.signal);
    await this.#target.request({ ...request, signal: context.signal }).catch((error) => {
      if (request.method !== "DELETE" || !isGone(error)) throw error;
    });
    await this.#log?.append(logEntry(detail, created, this.#python2));
  }

  /** The request that {@linkcode DirectoryNotify.notify} would send; for a floating IP that there is none. */
  preview(detail: Detail, created: boolean, context: NotifyContext): Json {
    if (context.subject !== "server") return "nothing: a directory service is told of servers only";
    const request = this.#request(detail, created, context);
    return {
      ...this.#target.preview(request),
      body: request.body === undefined ? null : JSON.parse(request.body),
    };
  }

  /** Rejects when a URL gives no answer to OPTIONS or does not know us (401), or when the log cannot be opened. */
  async check(signal: AbortSignal): Promise<void> {
    await this.#log?.check(signal);
    for (const url of new Set([this.#url, this.#urlDeletion])) await this.#target.probe(url, signal);
  }

  /** Closes the connections and the log. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#log?.[Symbol.asyncDispose]();
    await this.#target[Symbol.asyncDispose]();
  }

  #request(detail: Detail, created: boolean, { key }: NotifyContext) {
    if (detail.ID === null) throw new PermanentError("Cannot tell the directory service of a server: it has no ID");
    const headers = { "Idempotency-Key": idempotencyKey(key) };
    if (!created && this.#methodDeletion === "DELETE") {
      return { method: "DELETE", url: urlOf(this.#urlDeletion, detail.ID), headers };
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

function recordOf(detail: Detail, created: boolean): Partial<DirectoryRecord> {
  return created ? directoryRecord(detail) : { instance_uuid: detail.ID };
}

/** A URL could make a path of its own out of `..` or a slash. */
function urlOf(base: string, id: string): string {
  if (!/^[\w-]{1,64}$/.test(id)) {
    throw new PermanentError(`Cannot unregister the server "${printable(id, 80)}": not an id that a URL should hold`);
  }
  const url = new URL(base);
  url.pathname = `${url.pathname.replace(/\/$/, "")}/${id}`;
  return url.href;
}

/** What is to be removed is not there: an earlier attempt, or somebody else, was first. */
function isGone(error: unknown): boolean {
  return error instanceof DeliveryError && (error.status === 404 || error.status === 410);
}

/** Python's `pprint`, to the letter: what nova_dirsvc_plugin wrote. */
function logEntry(detail: Detail, created: boolean, python2: boolean): string {
  const time = Temporal.Now.instant().toString({ fractionalSecondDigits: 6 }).replace("T", " ").replace("Z", "");
  const title = created ? "Registering instance with" : "Unregistering instance from";
  const items = Object.entries(recordOf(detail, created)).map(([key, value]) => {
    const kind = PYTHON2_STR.has(key) ? "python2-str" : "python2-unicode";
    return `'${key}': ${pythonRepr(value, python2 ? kind : "python3")}`;
  });
  return `'${title} directory service at ${time}'\n{   ${items.join(",\n    ")}}\n`;
}

/** Nova made these itself; the others came to it as `unicode`. */
const PYTHON2_STR = new Set(["instance_uuid", "user_remote_address"]);

function problemsOf(options: DirectoryNotifyOptions): string[] {
  const { name, url, urlDeletion, methodDeletion, logFile, python2, headers } = options;
  const own = Object.keys(headers ?? {}).filter((header) => /^(?:content-type|idempotency-key)$/i.test(header));
  const where = "must be a full URL, without user and password";
  const checks: readonly (readonly [right: boolean, problem: string])[] = [
    [name === undefined || isText(name), "name: must be a text that is not empty"],
    [HttpTarget.isUrl(url), `url: ${where}`],
    [urlDeletion === undefined || HttpTarget.isUrl(urlDeletion), `urlDeletion: ${where}`],
    [
      methodDeletion === undefined || ["POST", "DELETE"].includes(methodDeletion),
      "methodDeletion: must be POST or DELETE",
    ],
    [
      logFile === undefined || logFile === null || isText(logFile),
      "logFile: must be the path of a file, or null for none",
    ],
    [python2 === undefined || typeof python2 === "boolean", "python2: must be true or false"],
    [own.length === 0, `headers: ${own.join(" and ")} cannot be set`],
  ];
  return checks.filter(([right]) => !right).map(([, problem]) => problem);
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}
