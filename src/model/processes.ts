/** A process that shares a ledger with others, as the ledger knows it. */
export interface ProcessState {
  readonly name: string;
  readonly version: string;
  /** `running`; `stopped` in order; `silent`: it was killed, or cannot reach the ledger. */
  readonly state: "running" | "stopped" | "silent";
  readonly startedMsAgo: number;
  readonly seenMsAgo: number;
  readonly plugins: readonly string[];
  /** What it does: names of leases, and for how long. */
  readonly leases: readonly { readonly name: string; readonly heldMs: number }[];
}

/** The processes that share a ledger: those that were there within a day. */
export interface ProcessList {
  readonly processes: readonly ProcessState[];
  /** The leases that no process has. */
  readonly free: readonly string[];
  /** How the configurations of processes that run differ: a sentence for each. */
  readonly differences: readonly string[];
}
