// One service that follows changes of servers, with a receiver of its own: what a step must lead to is held against what came.
import type { Detail } from "../../mod.ts";
import type { Received } from "../../tools/receiver.ts";
import { changed, type Expected } from "./step.ts";
import { type Following, ToldJudge, type Truths } from "./told_judge.ts";
import type { UpdatesStep } from "./updates_stage.ts";
import { Watch, type WatchOptions } from "./watch.ts";

export interface FollowerOptions extends WatchOptions {
  readonly following: Following;
}

/** What a step led to. */
export interface Consequences extends Pick<UpdatesStep, "title"> {
  readonly asTold: readonly string[];
  readonly expected: readonly Expected[];
  readonly truths: ReadonlyMap<string, Truths>;
}

export class Follower implements AsyncDisposable {
  readonly watch: Watch;
  readonly judge: ToldJudge;
  readonly title: string;
  readonly #following: Following;
  /** The number of each server's last update. */
  readonly #updates = new Map<string, number>();
  /** How many calls are judged. */
  #judged = 0;

  constructor(options: FollowerOptions) {
    this.title = options.title;
    this.watch = new Watch(options);
    this.judge = new ToldJudge(options.following);
    this.#following = options.following;
  }

  /** Holds the calls since the last step against what it must have led to. */
  async hold({ title, asTold, expected, truths }: Consequences): Promise<void> {
    const about = `${this.title}: ${title}`;
    const calls = this.watch.calls.slice(this.#judged);
    this.#judged = this.watch.calls.length;
    const due = this.#due(expected);
    this.watch.events += due.length;
    const keys = new Map<string, Expected>();
    for (const one of due) if (one.kind !== "changed") keys.set(await this.watch.keyOf(one), one);
    const missing = new Set(keys.keys());
    const rest = new Map(due.filter(({ kind }) => kind === "changed").map((one) => [one.server.id, new Set(one.keys)]));
    for (const [index, call] of calls.entries()) {
      const serverId = updateOf(call.key);
      const one = keys.get(call.key) ?? due.find((other) => isUpdateFor(other, { call, serverId }));
      this.watch.expect(call.key, about);
      missing.delete(call.key);
      if (one === undefined) {
        this.watch.problems.push(`${about}: ${call.key} came: ${JSON.stringify(call.detail)}`);
        continue;
      }
      const isLast = one.kind !== "went" && !calls.slice(index + 1).some(({ key }) => updateOf(key) === serverId);
      const kind = serverId === null ? one.kind : "changed";
      this.#check(call, about, kind);
      if (serverId !== null) this.#count(call, about, rest.get(serverId) ?? null);
      const context = { title: about, asTold, truths: truths.get(one.server.id)! };
      this.judge.hold({ ...one, kind, ...unwrapped(call), key: call.key, isLast }, context);
    }
    for (const key of missing) this.watch.problems.push(`${about}: ${key} did not come`);
    for (const [id, keys] of rest) {
      if (keys.size > 0) this.watch.problems.push(`${about}: no update of ${id} told ${[...keys].join(", ")}`);
    }
  }

  /**
   * Several updates may tell what an operation changes step by step; each key but the status once.
   * The name of a port's network may come behind its addresses.
   */
  #count({ key, detail }: Received, about: string, rest: Set<string> | null): void {
    const serverId = updateOf(key)!;
    const number = (this.#updates.get(serverId) ?? 0) + 1;
    this.#updates.set(serverId, number);
    const { problems } = this.watch;
    if (key !== `server/${serverId}/update/${number}`) problems.push(`${about}: ${key} is not number ${number}`);
    if (rest === null) return;
    for (const one of detail["changed"] as readonly string[]) {
      if (rest.delete(one) || one === "Status" || (one === "Addresses" && hasOnlyNamed(detail))) continue;
      problems.push(`${about}: ${key} tells ${one}: ${difference(detail, one)}`);
    }
  }

  #check({ key, path }: Received, about: string, kind: Expected["kind"]): void {
    const wanted = { came: "/created", began: "/created", changed: "/updated", ended: "/deleted", went: "/deleted" };
    if (path !== wanted[kind]) this.watch.problems.push(`${about}: ${key} was sent to ${path}`);
  }

  /** What this follower must be told of what has happened. */
  #due(expected: readonly Expected[]): readonly Expected[] {
    const { keys, hasAssociations, unheard } = this.#following;
    const gone = new Set(expected.filter(({ kind }) => kind === "went").map(({ server }) => server.id));
    const due = expected.filter(({ kind }) =>
      kind !== "changed" && (hasAssociations || (kind !== "began" && kind !== "ended"))
    );
    const updates = new Map<string, Expected>();
    for (const one of expected) {
      const { kind, server } = one;
      const isOfFloatingIp = kind === "began" || kind === "ended";
      if (isOfFloatingIp ? hasAssociations || gone.has(server.id) : kind !== "changed") continue;
      const told = (isOfFloatingIp ? ["FloatingIPs"] : one.keys!).filter((key) =>
        (keys === "all" || keys.has(key)) && !unheard.has(key)
      );
      if (told.length === 0) continue;
      updates.set(server.id, changed(server, ...(updates.get(server.id)?.keys ?? []), ...told));
    }
    return [...due, ...updates.values()];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.watch[Symbol.asyncDispose]();
  }
}

/** Whether an update is one that must come, or may come before a deletion. */
function isUpdateFor(
  { kind, server, keys = [] }: Expected,
  { call, serverId }: { readonly call: Received; readonly serverId: string | null },
): boolean {
  if (server.id !== serverId) return false;
  return kind === "changed" ||
    (kind === "went" && (call.detail["changed"] as readonly string[]).every((key) => keys.includes(key)));
}

/** The server of an update's key. */
function updateOf(key: string): string | null {
  return /^server\/([^/]+)\/update\/\d+$/.exec(key)?.[1] ?? null;
}

function unwrapped(
  { path, detail }: Received,
): { detail: Detail; update?: { before: Detail; changed: readonly string[] } } {
  if (path !== "/updated") return { detail: detail as Detail };
  const { detail: now, before, changed } = detail as { detail: Detail; before: Detail; changed: readonly string[] };
  return { detail: now, update: { before, changed } };
}

/** Whether nothing but networks got their names. */
function hasOnlyNamed(body: Received["detail"]): boolean {
  const { before, detail } = body as { readonly before: Detail; readonly detail: Detail };
  const nameless = ({ Addresses }: Detail) => JSON.stringify(Addresses.map((one) => ({ ...one, network: null })));
  return before.Addresses.some(({ network }) => network === null) && nameless(before) === nameless(detail);
}

function difference(body: Received["detail"], key: string): string {
  const { before, detail } = body as { before: Detail; detail: Detail };
  return `${JSON.stringify(before[key])} became ${JSON.stringify(detail[key])}`;
}
