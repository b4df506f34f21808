// What was done to processes and servers, and when: what the judge excuses by.

/** Who suffers a fault: a run of the service by its number, or a server. */
export type Sufferer = number | "postgres" | "rabbit";

/**
 * A run, or a server, is killed; a run is frozen (SIGSTOP) and thawed; its connections to a server, or to its
 * targets, hold everything back ("cut from …") and let it through again. A server, or the whole machine, is slow.
 */
export type FaultKind = "kill" | "freeze" | "cut from postgres" | "cut from rabbit" | "slow";

/** An interval; milliseconds since the epoch. */
export interface Fault {
  readonly of: Sufferer;
  readonly kind: FaultKind;
  readonly from: number;
  /** `Infinity`: it lasts. A run that was killed does not come back. */
  to: number;
}

/** The faults of a trial. */
export class FaultLog {
  readonly all: Fault[] = [];

  /** Begins now. */
  begin(of: Sufferer, kind: FaultKind): Fault {
    const fault: Fault = { of, kind, from: Date.now(), to: Infinity };
    this.all.push(fault);
    return fault;
  }

  count(...kinds: readonly FaultKind[]): number {
    return this.all.filter(({ of, kind }) => typeof of === "number" && kinds.includes(kind)).length;
  }
}

/** What is in hand is recorded this soon, even on a busy machine: what was answered longer ago must not come again. */
const RECORDED_WITHIN_MS = 5000;

/** This long after a fault what was held back arrives, and what was in hand is given up. */
const SETTLED_WITHIN_MS = 5000;

/** A request as far as faults concern it. */
export interface Request {
  readonly run: number;
  readonly arrivedAt: number;
  readonly answeredAt: number | null;
}

/** The fault by which a request may have remained without a record; `null`: it must have one. */
export function unrecordedBy(request: Request, faults: readonly Fault[]): Fault | null {
  const at = request.answeredAt ?? Infinity;
  const possible = faults.filter(({ of, kind, from, to }) =>
    (of === request.run || of === "postgres") && kind !== "cut from rabbit" &&
    from - at <= RECORDED_WITHIN_MS && at - to <= SETTLED_WITHIN_MS
  );
  return possible.find(({ of, kind }) => of === request.run && kind === "kill") ?? possible[0] ?? null;
}

/** Whether a request may have come late: from a process that slept while another one went on. */
export function isLate({ run, arrivedAt }: Request, faults: readonly Fault[]): boolean {
  return faults.some(({ of, kind, from, to }) =>
    of === run && kind === "freeze" && from <= arrivedAt && arrivedAt - to <= SETTLED_WITHIN_MS
  );
}
