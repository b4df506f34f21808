/** The result of one check of `oss-watcher check` or `doctor`. */
export interface Finding {
  /** `unchecked`: the check was not possible; `text` says why. */
  readonly level: "error" | "warning" | "unchecked" | "ok";
  /** What was checked, by its key in the configuration: `rabbit.queue`, `plugins[0]`. */
  readonly key: string;
  /** The value, what is wrong with it, and the next step; without secrets. */
  readonly text: string;
}
