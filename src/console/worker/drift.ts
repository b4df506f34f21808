import type { DriftAnswer, DriftRun } from "../api.ts";
import { reconcileOnce } from "../../runtime/reconcile_once.ts";
import { progressWords } from "../../reconcile/progress_words.ts";
import { redact } from "../../wire/secrets/redact.ts";
import { withShortTexts } from "./short_texts.ts";
import { Refused, type WorkerContext, type WorkerRequest } from "./worker_context.ts";

/** Comparisons with OpenStack: one at a time. */
export class Drift {
  #run: DriftRun | null = null;
  #stop: AbortController | undefined;

  readonly get = async (_: WorkerRequest, { withLedger }: WorkerContext): Promise<DriftAnswer> => {
    return await withLedger(async ({ comparisons }) => {
      const { last, agreedAt } = await comparisons.past();
      const differences = withShortTexts(await comparisons.lastDifferences());
      return { last: last === null ? null : { ...last, differences }, agreedAt, running: this.#run };
    });
  };

  readonly begin = async ({ body, who }: WorkerRequest, context: WorkerContext): Promise<DriftRun> => {
    const { apply, force = false } = body as { readonly apply: boolean; readonly force?: boolean };
    const { loaded: { config }, clock, withLedger } = context;
    if (config.openstack === undefined) {
      throw new Refused(409, "Cannot compare with OpenStack: config.ts has no section openstack. Add it, and reload");
    }
    if (force && !apply) throw new Refused(400, "Cannot use force alone: it goes with apply");
    if (this.#run?.state === "running") throw new Refused(409, "Cannot begin a comparison: one runs. Wait, or stop it");
    const startedAt = clock.now();
    const run = { state: "running", apply, by: who, startedAt, progress: "Beginning", ...NO_RESULT } as const;
    this.#run = run;
    try {
      const entry = { at: startedAt, who, action: "reconcile", what: "what differs from OpenStack" } as const;
      // A plan changes nothing.
      if (apply) await withLedger(({ trail }) => trail.write({ ...entry, details: { apply, force } }));
    } catch (error) {
      this.#run = null;
      throw error;
    }
    context.onBackground(1);
    const stop = this.#stop = new AbortController();
    void this.#compare({ apply, force }, { context, signal: stop.signal }).finally(() => context.onBackground(-1));
    return run;
  };

  readonly stop = (): Promise<DriftRun> => {
    if (this.#run === null) throw new Refused(404, "Cannot stop a comparison: this console has begun none");
    if (this.#run.state === "running") {
      this.#stop?.abort();
      this.#change({ progress: "Stopping" });
    }
    return Promise.resolve(this.#run);
  };

  /** Never rejects. */
  async #compare(
    { apply, force }: { readonly apply: boolean; readonly force: boolean },
    { context: { loaded, clock, random, log, withLedger }, signal }: {
      readonly context: WorkerContext;
      readonly signal: AbortSignal;
    },
  ): Promise<void> {
    try {
      const { report, plan } = await withLedger(({ comparisons }) =>
        reconcileOnce(
          {
            config: loaded.config,
            ledger: comparisons,
            clock,
            random,
            log,
            onProgress: (progress) => this.#change({ progress: progressWords(progress) }),
          },
          { apply, force, acceptsScope: false, server: null },
          signal,
        )
      );
      const undecided = plan?.undecided.slice(0, 1000) ?? [];
      const failed = plan === null ? { state: "failed", error: report.problem } as const : { state: "done" } as const;
      this.#change({ progress: "Done", report, undecided, ...failed });
    } catch (error) {
      if (signal.aborted) return this.#change({ state: "stopped", progress: "Stopped: nothing was told" });
      const text = redact(error instanceof Error ? error.message : String(error));
      log("console").error(`Cannot compare with OpenStack: ${text}`);
      this.#change({ state: "failed", progress: "Failed", error: text });
    }
  }

  #change(change: Partial<DriftRun>): void {
    if (this.#run !== null) this.#run = { ...this.#run, ...change };
  }
}

const NO_RESULT = { report: null, undecided: [], error: null };
