/**
 * The behaviour of a target:
 *
 * | behaviour | the target | an attempt must |
 * |---|---|---|
 * | `accepts` | does what it is asked | be done |
 * | `down` | is not there: nobody listens, connections are cut | fail, reason `connection`, to be
 * tried again |
 * | `breaks` | cuts the connection in the middle | fail, reason `connection`, to be tried again |
 * | `hangs` | takes what it is sent and never answers | end soon after its signal aborts |
 * | `unauthorized` | does not know our credentials | fail, reason `unauthorized`, to be tried again
 * |
 * | `busy` | wants to be left alone for a while | fail, to be tried again |
 * | `fails` | has an error of its own | fail, to be tried again |
 * | `refuses` | will never take this event | fail for good |
 */
export type Behaviour = "accepts" | "down" | "breaks" | "hangs" | "unauthorized" | "busy" | "fails" | "refuses";

/**
 * A real target, started for one test, that can be told how to behave. {@linkcode HttpHarness} is
 * one for whatever speaks HTTP; {@linkcode TcpGate}, put before any other server, does `down`,
 * `breaks` and `hangs`.
 */
export interface TargetHarness<Taken = unknown> extends AsyncDisposable {
  /** Sets the behaviour, for open connections as well. It begins with `accepts`. */
  behave(behaviour: Behaviour): void | Promise<void>;
  /**
   * Resolves when data has reached the target since {@linkcode behave} was called last. Used while
   * it `hangs`.
   */
  reached(): Promise<void>;
  /**
   * The data that it has accepted: for a target that gets messages, those since the last call, each
   * once; for one that keeps entries, all of them. Their order does not matter.
   */
  taken(): readonly Taken[] | Promise<readonly Taken[]>;
}

/** What {@linkcode TargetHarness.taken} of a target returns. */
export type TakenBy<Target> = Target extends TargetHarness<infer Taken> ? Taken : never;
