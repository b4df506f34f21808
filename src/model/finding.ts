/** Something that was looked at, and what was found. */
export interface Finding {
  /** `unchecked`: could not be looked at, and why. */
  readonly level: "error" | "warning" | "unchecked" | "ok";
  /** The key of the configuration, or what it leads to: `rabbit.queue`, `plugins[0]`. */
  readonly key: string;
  /** The value, what is wrong with it, and what to do next; shows no secret. */
  readonly text: string;
}
