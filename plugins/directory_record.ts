import type { Detail } from "../mod.ts";
import { pythonRepr } from "../src/kit/targets.ts";

/** Nova had these values as `str`; the others were `unicode`. */
const PYTHON2_STR = new Set(["instance_uuid", "user_remote_address"]);

/**
 * The data of a server that a directory service gets: the DICT of nova_dirsvc_plugin. Unknown
 * values are `null`.
 */
export interface DirectoryRecord {
  /** The UUID of the server's image. */
  readonly image_uuid: string | null;
  /** The server's UUID. */
  readonly instance_uuid: string | null;
  /** The server's MAC address. */
  readonly mac_address: string | null;
  /** The name of the server's project. */
  readonly project_name: string | null;
  /** The name of the server's user. */
  readonly user_name: string | null;
  /** The address from which the server was asked for. */
  readonly user_remote_address: string | null;
}

/**
 * The record of a server, from the detail of its creation or of an update.
 *
 * @example
 * ```ts
 * import { type DirectoryRecord, directoryRecord } from "oss-watcher/plugins";
 * import { sampleEvent } from "oss-watcher/testing";
 * import assert from "node:assert/strict";
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

/** Whether a server's record differs from that of an earlier detail. */
export function hasOtherRecord(detail: Detail, before: Detail): boolean {
  const [now, then] = [directoryRecord(detail), directoryRecord(before)];
  return Object.entries(now).some(([key, value]) => value !== then[key as keyof DirectoryRecord]);
}

/**
 * The data that a directory service gets: the whole record for a creation, the id alone for a
 * deletion.
 */
export function recordOf(detail: Detail, created: boolean): Partial<DirectoryRecord> {
  return created ? directoryRecord(detail) : { instance_uuid: detail.ID };
}

/** The log entry that nova_dirsvc_plugin wrote, exactly as Python's `pprint` formats it. */
export function logEntry(detail: Detail, created: boolean, python2: boolean): string {
  const time = Temporal.Now.instant().toString({ fractionalSecondDigits: 6 }).replace("T", " ").replace("Z", "");
  const title = created ? "Registering instance with" : "Unregistering instance from";
  const items = Object.entries(recordOf(detail, created)).map(([key, value]) => {
    const kind = PYTHON2_STR.has(key) ? "python2-str" : "python2-unicode";
    return `'${key}': ${pythonRepr(value, python2 ? kind : "python3")}`;
  });
  return `'${title} directory service at ${time}'\n{   ${items.join(",\n    ")}}\n`;
}
