import { LeaseLost } from "../../model/tenancy.ts";

/** A lease that this process took, and did not give back. */
export interface HeldLease {
  readonly name: string;
  /** Grows by 1 with each holder. */
  readonly epoch: number;
  /**
   * The process's id. A standby that became the primary may not know the last epochs, and gives them
   * a second time: epoch and holder together are unique.
   */
  readonly holder: string;
}

/** The leases of this process, by which its statements prove what they may write. */
export class HeldLeases {
  readonly #held = new Map<string, HeldLease>();

  begin(lease: HeldLease): void {
    this.#held.set(lease.name, lease);
  }

  /** Ends a lease; a later one of the same name stays. */
  end({ name, epoch }: HeldLease): void {
    if (this.#held.get(name)?.epoch === epoch) this.#held.delete(name);
  }

  get(name: string): HeldLease | undefined {
    return this.#held.get(name);
  }

  /** @throws {LeaseLost} when it is not ours. */
  require(name: string): HeldLease {
    const lease = this.#held.get(name);
    if (lease === undefined) throw new LeaseLost(`The lease "${name}" is not ours`);
    return lease;
  }
}
