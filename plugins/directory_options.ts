import { BOOLEAN, HttpTarget, type HttpTargetOptions, isOneOf, isText, optional } from "../src/kit/targets.ts";
import { type OptionRules, required, TEXT, withoutHeaders } from "../src/kit/targets.ts";

/**
 * Options of `DirectoryNotify`, with those of `HttpTarget`: `user`, `password`, `bearer`,
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
   * Registers a server again when its `DirectoryRecord` has changed. Needs
   * `events.update`, with keys of the record: `MAC`, `ProjectName`, `UserName`, … @default false
   */
  readonly updates?: boolean;
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

const WHERE = "must be a full URL, without user and password";

type OwnOption = Exclude<keyof DirectoryNotifyOptions, keyof HttpTargetOptions> | "headers";
/** The rules of the plugin's own options. */
export const DIRECTORY_RULES: OptionRules<DirectoryNotifyOptions, OwnOption> = {
  name: TEXT,
  url: required(HttpTarget.isUrl, WHERE),
  urlDeletion: optional(HttpTarget.isUrl, WHERE),
  methodDeletion: optional(isOneOf("POST", "DELETE"), "must be POST or DELETE"),
  logFile: optional((file) => file === null || isText(file), "must be the path of a file, or null for none"),
  updates: BOOLEAN,
  python2: BOOLEAN,
  headers: withoutHeaders("content-type", "idempotency-key", "oss-watcher-sequence"),
};
