/**
 * Which part of the work this process does. With the ledger on SQLite there is one process, which
 * does all; on PostgreSQL work is handed out in leases.
 */
export interface Tenancy {
  /**
   * Does a part of the work whenever it is ours, until `signal` aborts.
   *
   * @param name {@linkcode FACTS}, {@linkcode HOUSEKEEPING}, or what {@linkcode pluginLease} says.
   * @param work Called each time that the lease was taken. It ends soon after the tenure's `ending`.
   */
  hold(name: string, work: (tenure: Tenure) => Promise<void>, signal: AbortSignal): Promise<void>;
  /** Whether other processes may share the ledger. */
  readonly isShared: boolean;
  /** The parts of the work that can be ours, and whether they are; empty: all is always ours. */
  held(): readonly HeldPart[];
}

/** A part of the work. */
export interface HeldPart {
  readonly name: string;
  readonly isHeld: boolean;
}

/** The lease of stages 2 and 3, of priming and of comparisons. */
export const FACTS = "facts";

/** The lease of what is done now and then in the tables. */
export const HOUSEKEEPING = "housekeeping";

/** The time in which a part of the work is ours. */
export interface Tenure {
  /** Aborts when the work shall end: nothing new is begun, what is in flight may end. */
  readonly ending: AbortSignal;
  /** Aborts when the work may be another's: what is in flight must be given up at once. */
  readonly lost: AbortSignal;
  /** Whether the work is still ours; asked before something is begun that another must not repeat. */
  readonly isValid: () => boolean;
}

/** The name of the lease of a plugin's deliveries. */
export function pluginLease(plugin: string): string {
  return `plugin ${plugin}`;
}

/** What was to be written is not ours to write any more: another process does that. */
export class LeaseLost extends Error {
  override readonly name = "LeaseLost";
}
