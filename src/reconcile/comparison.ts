import type { Rules } from "../facts/decision_context.ts";
import { concernsServer, listingOf, type Observation, observedId } from "../facts/observation.ts";
import type { Clock } from "../model/clock.ts";
import type { CloudScope, Difference, Undecided } from "../model/comparison.ts";
import type { MemoryReader } from "../model/comparison_ledger.ts";
import { type Listing, LISTINGS } from "../model/ledger.ts";
import type { Memory } from "../model/memory.ts";
import type { CloudView } from "./cloud_view.ts";
import { inOrder } from "./in_order.ts";
import { type FindUpdate, judge, type Judgement } from "./judge.ts";
import { NoConclusion } from "./no_conclusion.ts";
import { type MadeObservation, ObservationMaker, projectOf, type Resource } from "./observation_maker.ts";
import { proveRights, type Visibilities } from "./prove_rights.ts";
import { Visibility } from "./rights.ts";
import { type Recognition, refuseOtherCloud } from "./same_cloud.ts";
import { slices } from "./slices.ts";

export interface ComparisonOptions {
  readonly cloud: CloudView;
  readonly memory: MemoryReader;
  /**
   * Resolves when every notification that was published before the call has been decided. Rejects
   * when that does not happen.
   */
  readonly settled: (signal: AbortSignal) => Promise<void>;
  readonly rules: Rules;
  /** As in `JudgeOptions`. */
  readonly findUpdate?: FindUpdate | undefined;
  /** Time between the two questions for a resource that seems to differ. */
  readonly confirmMs: number;
  /** Since when the ledger follows the cloud, milliseconds since the epoch. */
  readonly beganAt: number;
  /** ISO 8601, UTC: read of Nova what has changed since then; `null`: everything. */
  readonly changesSince: string | null;
  /** The scope of the last complete comparison; `null`: there was none. */
  readonly reference: CloudScope | null;
  /** Whether an operator has confirmed that the scope is right although it has changed. */
  readonly acceptsScope?: boolean;
  /** Look at this server alone, with its floating IPs; `null`: at everything. @default null */
  readonly server?: string | null;
  readonly clock: Clock;
  readonly onProgress?: (progress: ComparisonProgress) => void;
}

/** How far a comparison is. `total`: what memory has of the listing; `null`: not known. */
export interface ComparisonProgress {
  readonly step: Listing | "asking" | "waiting" | "asking again";
  readonly done: number;
  readonly total: number | null;
}

/** What a comparison has found. */
export interface Plan {
  readonly scope: CloudScope;
  readonly isFull: boolean;
  readonly seesAllProjects: boolean;
  readonly found: Readonly<Record<Listing, number>>;
  /** Existing servers and floating IPs in memory, on which the limit of deletions depends. */
  readonly remembered: number;
  /** In the order in which they must be told. */
  readonly differences: readonly Difference[];
  readonly undecided: readonly Undecided[];
  /** How many of the undecided ones OpenStack was asked for, without an answer that can be used. */
  readonly unanswered: number;
  /** What to record, in order: the observations of the differences, and corrections of memory. */
  readonly observations: readonly Observation[];
}

/**
 * Compares memory with OpenStack. It reads all listings, then asks for each resource that seems to
 * differ by its id, twice, some time apart. Only what both readings agree upon, and memory at the
 * second one lacks, becomes part of the plan. It changes nothing.
 *
 * @throws {NoConclusion} when the answers cannot be trusted.
 * @throws whatever the cloud or `settled` rejects with.
 */
export async function compare(options: ComparisonOptions, signal: AbortSignal): Promise<Plan> {
  return await new Comparison(options, signal).run();
}

class Comparison {
  readonly #options: ComparisonOptions;
  readonly #signal: AbortSignal;
  readonly #maker: ObservationMaker;
  readonly #found: Record<Listing, number> = { floatingIps: 0, ports: 0, servers: 0 };
  /** What listings have shown of what is remembered. */
  readonly #recognition: Record<Listing, Recognition> = { floatingIps: NOTHING, ports: NOTHING, servers: NOTHING };
  readonly #undecided: Undecided[] = [];
  /** What seems to differ, by resource. */
  readonly #candidates: Judgement[] = [];
  #remembered = 0;
  #unanswered = 0;
  /** Whether Nova lists the server that alone is looked at. */
  #isServerListed = false;

  constructor(options: ComparisonOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    this.#maker = new ObservationMaker(options);
  }

  async run(): Promise<Plan> {
    const { cloud, memory, reference, clock, confirmMs, settled } = this.#options;
    const scope = await cloud.scope(this.#signal);
    const visibility: Visibilities = { Nova: new Visibility(scope), Neutron: new Visibility(scope) };
    for (const listing of LISTINGS) {
      await this.#list(listing, listing === "servers" ? visibility.Nova : visibility.Neutron);
    }
    await this.#refuseUnknownServer();
    const provable = await this.#provableSuspects(visibility);
    await refuseOtherCloud({ ...this.#options, scope, recognition: this.#recognition, provable }, this.#signal);
    const suspects = await this.#ask(await this.#concerned(provable, absent), "asking");
    const prove = async (judged: readonly Judgement[]) =>
      await proveRights(
        judged.map(({ observation }) => observation),
        { cloud, memory, scope, reference, visibility },
        this.#signal,
      );
    if (suspects.length > 0) await prove(suspects);
    const candidates = distinct(
      await this.#concerned([...this.#candidates, ...suspects], ({ observation }) => observation),
    );
    let confirmed: readonly Judgement[] = [];
    if (candidates.length > 0) {
      this.#progress("waiting", 0, null);
      await clock.sleep(confirmMs, this.#signal);
      this.#signal.throwIfAborted();
      await settled(this.#signal);
      confirmed = await this.#confirm(candidates);
    }
    await prove(confirmed);
    return await this.#plan(scope, { visibility, confirmed });
  }

  /** Reads one listing, and compares each page with memory. */
  async #list(listing: Listing, visibility: Visibility): Promise<void> {
    const { cloud, memory, clock } = this.#options;
    // Neutron lists no deletions. Of a deleted port, its floating IPs tell: they are free.
    const changesSince = listing === "floatingIps" ? null : this.#options.changesSince;
    const before = await memory.existingIds(listing);
    if (listing !== "ports") this.#remembered += before.length;
    const [seen, gone] = [new Set<string>(), new Set<string>()];
    let askedAtMs = clock.now();
    for await (const page of cloud.read(listing, { changesSince, signal: this.#signal })) {
      const readAtMs = askedAtMs;
      visibility.note(page);
      for (const record of page.records) {
        ("status" in record && record.status === "DELETED" ? gone : seen).add(record.id);
      }
      const made = (known: Memory) => this.#maker.observationsOf(page, { memory: known, readAtMs });
      this.#candidates.push(...await memory.look((known) => this.#judge(made(known), known)));
      this.#progress(listing, seen.size, changesSince === null ? before.length : null);
      askedAtMs = clock.now();
    }
    this.#found[listing] = seen.size;
    if (listing === "servers") this.#isServerListed = seen.has(this.#options.server ?? "");
    const isSuspect = (id: string) => changesSince === null ? !seen.has(id) : gone.has(id);
    this.#recognition[listing] = {
      listed: before.filter((id) => seen.has(id) || gone.has(id)).length,
      suspects: before.filter(isSuspect),
      others: before.filter((id) => !isSuspect(id)),
    };
  }

  async #refuseUnknownServer(): Promise<void> {
    const { server = null, memory } = this.#options;
    if (server === null || this.#isServerListed) return;
    if (await memory.look((known) => known.server(server)) !== undefined) return;
    throw new NoConclusion(`Neither the ledger nor Nova's list has the server "${server}": check its id`);
  }

  #judge(made: readonly MadeObservation[], memory: Memory): readonly Judgement[] {
    return made.flatMap(({ observation, evidence }) =>
      judge(observation, { ...this.#options, memory, evidence }) ?? []
    );
  }

  /** The suspects whose absence would prove that they are gone, in the order of a deletion. */
  async #provableSuspects({ Nova, Neutron }: Visibilities): Promise<readonly Resource[]> {
    const provable: Resource[] = [];
    const suspects = LISTINGS.toReversed().flatMap((listing) =>
      this.#recognition[listing].suspects.map((id) => ({ listing, id }))
    );
    for (const slice of slices(suspects)) {
      const found = await this.#options.memory.look((known) =>
        slice.map((suspect) => ({
          suspect,
          isProvable: (suspect.listing === "servers" ? Nova : Neutron).proves(projectOf(suspect, known)),
          isConcerned: suspect.listing !== "ports" && this.#isConcerned(suspect, known),
        }))
      );
      for (const { suspect, isProvable, isConcerned } of found) {
        const { listing, id } = suspect;
        if (isProvable) provable.push(suspect);
        else if (isConcerned) this.#undecided.push({ subject: subjectOf(listing), id, reason: INVISIBLE });
      }
    }
    return provable;
  }

  /** Asks for resources by their ids, and compares the answers with memory. */
  async #ask(
    resources: readonly Resource[],
    step: "asking" | "asking again",
  ): Promise<readonly Judgement[]> {
    const { memory } = this.#options;
    const judged: Judgement[] = [];
    let done = 0;
    for (const slice of slices(resources)) {
      const answers = await Promise.all(slice.map((resource) => this.#maker.ask(resource, this.#signal)));
      judged.push(
        ...await memory.look((known) => answers.flatMap((answer) => this.#judge(answer.observe(known), known))),
      );
      for (const { problem, resource: { listing, id } } of answers) {
        if (problem === null) continue;
        this.#unanswered++;
        this.#undecided.push({ subject: subjectOf(listing), id, reason: problem });
      }
      done += slice.length;
      this.#progress(step, done, resources.length);
    }
    return judged;
  }

  #isConcerned(resource: Resource, memory: Memory): boolean {
    const { server = null } = this.#options;
    return server === null || concernsServer(absent(resource), { server, memory });
  }

  /** Those that concern the server that alone is looked at; `observed`: what tells it of one. */
  async #concerned<One>(ones: readonly One[], observed: (one: One) => Observation): Promise<readonly One[]> {
    const { server = null, memory } = this.#options;
    if (server === null) return ones;
    return await memory.look((known) => ones.filter((one) => concernsServer(observed(one), { server, memory: known })));
  }

  /** The second question: what both answers agree upon. */
  async #confirm(candidates: readonly Judgement[]): Promise<readonly Judgement[]> {
    const resources = candidates.map(({ observation }) => ({
      listing: listingOf(observation),
      id: observedId(observation),
    }));
    const again = new Map(
      (await this.#ask(resources, "asking again")).map((one) => [observedKey(one.observation), one]),
    );
    return candidates.flatMap((first) => {
      const second = again.get(observedKey(first.observation));
      if (second === undefined || !agree(first, second)) return [];
      if (second.difference === null) return [second];
      const evidence = [...first.difference?.evidence ?? [], ...second.difference.evidence];
      return [{ ...second, difference: { ...second.difference, evidence } }];
    });
  }

  async #plan(
    scope: CloudScope,
    { visibility: { Nova, Neutron }, confirmed }: {
      readonly visibility: Visibilities;
      readonly confirmed: readonly Judgement[];
    },
  ): Promise<Plan> {
    const planned = await inOrder(confirmed, this.#options);
    return {
      scope,
      isFull: this.#options.changesSince === null,
      seesAllProjects: Nova.isComplete && Neutron.isComplete,
      found: this.#found,
      remembered: this.#remembered,
      differences: planned.flatMap(({ difference }) => difference ?? []),
      undecided: this.#undecided,
      unanswered: this.#unanswered,
      observations: planned.map(({ observation }) => observation),
    };
  }

  #progress(step: ComparisonProgress["step"], done: number, total: number | null): void {
    this.#options.onProgress?.({ step, done, total });
  }
}

const NOTHING: Recognition = { listed: 0, suspects: [], others: [] };

const ABSENT = { servers: "serverAbsent", ports: "portAbsent", floatingIps: "floatingIpAbsent" } as const;

/** That a resource is gone, as it would be observed. */
function absent({ listing, id }: Resource): Observation {
  return { what: ABSENT[listing], id };
}

const INVISIBLE = "it is not listed, but our account is not proven to see the resources of its project";

/** A listing that began again has some resources twice: the last reading counts. */
function distinct(judgements: readonly Judgement[]): readonly Judgement[] {
  return [...new Map(judgements.map((one) => [observedKey(one.observation), one])).values()];
}

function subjectOf(listing: Listing): Undecided["subject"] {
  return listing === "servers" ? "server" : listing === "ports" ? "port" : "floatingip";
}

function observedKey(observation: Observation): string {
  return `${observation.what} ${observedId(observation)}`;
}

/**
 * Whether the same follows from two readings. Of what is gone, everything that follows is true,
 * also if messages that came meanwhile have changed it. A port that is there may have got a floating
 * IP by such a message, which has left it again: then nothing is concluded this time.
 */
function agree(first: Judgement, second: Judgement): boolean {
  return "id" in second.observation || keysOf(first) === keysOf(second);
}

function keysOf({ difference }: Judgement): string {
  return difference?.keys.join(" ") ?? "";
}
