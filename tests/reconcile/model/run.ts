import type { Observation } from "../../../src/facts/observation.ts";
import { compare, type Plan } from "../../../src/reconcile/comparison.ts";
import { NoConclusion } from "../../../src/reconcile/no_conclusion.ts";
import { Choices } from "./choices.ts";
import { iso } from "./model_cloud.ts";
import { NoAnswer } from "./model_view.ts";
import { Violation } from "./receiver.ts";
import { BEGAN_AT, World } from "./world.ts";

const CONFIRM_MS = 60_000;
/** As `src/reconcile/schedule.ts` has it. */
const OVERLAP_MS = 15 * 60_000;
/** Comparisons after which memory and a quiet cloud agree. */
const MAX_LAST = 3;
const NEVER = new AbortController().signal;

/** What a run did, for the statistics of many. */
export interface Outcome {
  readonly choices: number;
  readonly compared: number;
  readonly refused: number;
  readonly differences: number;
}

/**
 * One history: things happen in a cloud, its messages come or are lost, comparisons run beside that. In the end all is quiet, and a comparison
 * repairs what is wrong.
 */
export class Run {
  readonly #world: World;
  #compared = 0;
  #refused = 0;
  #differences = 0;

  constructor(values: readonly number[]) {
    this.#world = new World(new Choices(values));
  }

  /** What has happened. */
  get log(): readonly string[] {
    return this.#world.log;
  }

  /** @throws {Violation} when a rule was broken. */
  async play(): Promise<Outcome> {
    const { view, follower, choices } = this.#world;
    for (const listing of ["floatingIps", "ports", "servers"] as const) {
      for await (const page of view.read(listing, { changesSince: null })) follower.prime(page);
    }
    if (choices.chance(30)) this.#world.chooseAccount();
    if (!choices.chance(20)) follower.reference = await view.scope();
    this.#world.isQuiet = false;
    for (let part = choices.below(5); part > 0; part--) {
      for (let happening = choices.below(10); happening > 0; happening--) this.#world.happen();
      if (choices.chance(70)) await this.#compare({ isFull: choices.chance(60) });
    }
    await this.#end();
    return {
      choices: choices.used,
      compared: this.#compared,
      refused: this.#refused,
      differences: this.#differences,
    };
  }

  /** A comparison; its plan is applied, unless nothing could be concluded. */
  async #compare(how: { readonly isFull: boolean; readonly isConfirmed?: boolean }): Promise<Plan | null> {
    const world = this.#world;
    const startedAt = world.now;
    world.setComparing(true);
    try {
      const { plan, ...times } = await this.#plan(how);
      this.#compared++;
      this.#differences += plan.differences.length;
      world.note(`plan: ${plan.observations.map(describe).join("; ")}`);
      for (let late = world.isQuiet ? 0 : world.choices.below(8); late > 0; late--) world.happen();
      if (!world.isQuiet && world.choices.chance(40)) world.catchUp();
      const { follower } = world;
      follower.apply(plan, {
        number: this.#compared,
        now: world.now,
        times: { ...times, seesAllProjects: plan.seesAllProjects },
      });
      while (follower.decideOne()) if (!world.isQuiet && world.choices.chance(20)) world.happen();
      follower.finish(startedAt);
      return plan;
    } catch (error) {
      if (!(error instanceof NoConclusion) && !(error instanceof NoAnswer)) throw error;
      this.#refused++;
      world.note(`no comparison: ${error.message}`);
      return null;
    } finally {
      world.setComparing(false);
    }
  }

  async #plan(
    { isFull, isConfirmed = false }: { readonly isFull: boolean; readonly isConfirmed?: boolean },
  ): Promise<{ readonly plan: Plan; readonly beganAt: number; readonly settledAt: number }> {
    const world = this.#world;
    const { follower, view, clock, here } = world;
    const changesSince = isFull || follower.isRestored ? null : iso((follower.comparedAt ?? BEGAN_AT) - OVERLAP_MS);
    world.note(
      changesSince === null ? "a comparison begins" : `a comparison of what has changed since ${changesSince} begins`,
    );
    const beganAt = here.tick;
    let settledAt = beganAt;
    const settled = async () => {
      await view.scope();
      world.drain(); // All that was published.
      settledAt = here.tick;
    };
    const plan = await compare({
      cloud: view,
      memory: follower,
      settled,
      rules: follower.rules,
      confirmMs: CONFIRM_MS,
      beganAt: BEGAN_AT,
      changesSince,
      reference: follower.reference,
      acceptsScope: isConfirmed,
      clock,
    }, NEVER);
    return { plan, beganAt, settledAt };
  }

  /** All is quiet. What comparisons leave wrong then is wrong for good. */
  async #end(): Promise<void> {
    const world = this.#world;
    world.calmDown();
    world.note("all is quiet");
    if (world.choices.chance(50)) world.drain();
    const isOfChanges = world.choices.chance(30);
    for (let comparison = 1;; comparison++) {
      const plan = await this.#compare({ isFull: !isOfChanges || comparison > 1, isConfirmed: true });
      if (plan === null) throw new Violation("Nothing was concluded although all is quiet");
      this.#checkUndecided(plan);
      world.drain();
      if (comparison > 1 && plan.observations.length === 0) break;
      if (comparison === MAX_LAST) throw new Violation(`Comparison ${comparison} finds something still`);
    }
    this.#checkTruth();
  }

  /** Only what cannot be proven may be left open: no floating IP of other projects is visible. */
  #checkUndecided({ undecided }: Plan): void {
    const { here, receiver } = this.#world;
    for (const { id } of undecided) receiver.forgotten.add(id);
    const isProvable = [...here.floatingIps.values()].some(({ project }) => project === "other");
    const wrong = undecided.find(({ subject }) => subject === "server" || isProvable);
    if (wrong !== undefined) throw new Violation(`The ${wrong.subject} ${wrong.id} is undecided: ${wrong.reason}`);
  }

  #checkTruth(): void {
    const { here, receiver: { servers, associations, forgotten } } = this.#world;
    for (const { id, life, launchedAt, createdAt } of here.servers.values()) {
      if (forgotten.has(id)) continue;
      const isExpected = here.isThere(id) && launchedAt !== null;
      // Nothing is concluded of a soft-deleted server: it is about to go.
      if (isExpected !== servers.has(id) && !(life === "soft-deleted" && createdAt >= BEGAN_AT)) {
        throw new Violation(`The server ${id} is ${life}, and the receiver ${servers.has(id) ? "has" : "lacks"} it`);
      }
    }
    for (const id of new Set([...associations.keys(), ...here.floatingIps.keys()])) {
      const [held, truth] = [associations.get(id) ?? null, here.serverOf(id)];
      if (held !== truth && !forgotten.has(id)) {
        throw new Violation(`The floating IP ${id} is on ${truth}, and the receiver has it on ${held}`);
      }
    }
  }
}

function describe(observation: Observation): string {
  if ("id" in observation) return `${observation.what} ${observation.id}`;
  const { what, state } = observation;
  const on = "portId" in state ? `on ${state.portId}` : "serverId" in state ? `of ${state.serverId}` : "";
  return `${what} ${state.id} ${on} ${"revision" in state ? state.revision : ""}`;
}
