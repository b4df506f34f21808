import type { Detail, NotifyContext } from "oss-watcher";

/** Says hello to what comes and goodbye to what goes, in oss-watcher's log. */
export class Hello {
  /** Returning means done; throwing means: try again later, with the same key. */
  notify(detail: Detail, created: boolean, { key, log }: NotifyContext): void {
    log.info(`${greeting(detail, created)} (${key})`);
  }

  /** What --dry-run shows. */
  preview(detail: Detail, created: boolean): string {
    return greeting(detail, created);
  }
}

function greeting({ FQDN, IP }: Detail, created: boolean): string {
  return `${created ? "hello" : "goodbye"} ${FQDN ?? "unknown"} at ${IP ?? "no address"}`;
}
