/** A rule that is broken on purpose: a line of a source file, and what is put in its place. */
export interface Mutation {
  readonly name: string;
  readonly file: string;
  readonly line: string;
  readonly becomes: string;
  /** The seed of the first run that is tried. */
  readonly from?: number;
}

const MAKER = "src/reconcile/observation_maker.ts";
const COMPARISON = "src/reconcile/comparison.ts";
const RIGHTS = "src/reconcile/rights.ts";
const PROOF = "src/reconcile/prove_rights.ts";

/** Each of them must be noticed. */
export const MUTATIONS: readonly Mutation[] = [
  {
    name: "a listing alone proves that a server is gone",
    file: MAKER,
    line: "return answer(await cloud.server(id, signal), {",
    becomes: 'return answer<SeenServer>("absent", {',
  },
  {
    from: 352,
    name: "there is no second question",
    file: COMPARISON,
    line: "confirmed = await this.#confirm(candidates);",
    becomes: "confirmed = candidates;",
  },
  {
    name: "what may not be seen is gone",
    file: MAKER,
    line: 'if (reading === "absent") return',
    becomes: 'if (typeof reading === "string") return',
  },
  {
    name: "a server whose cell is down is gone",
    file: MAKER,
    line: 'if (launchedAt === null || UNCLEAR.has(status ?? "")) return [];',
    becomes:
      'if (status === "UNKNOWN") return [{ observation: { what: "serverAbsent", id: state.id as string }, evidence: [] }];\n' +
      '    if (launchedAt === null || UNCLEAR.has(status ?? "")) return [];',
  },
  {
    name: "a soft-deleted server is gone",
    file: MAKER,
    line: 'if (launchedAt === null || UNCLEAR.has(status ?? "")) return [];',
    becomes:
      'if (status === "SOFT_DELETED") return [{ observation: { what: "serverAbsent", id: state.id as string }, evidence: [] }];\n' +
      '    if (launchedAt === null || UNCLEAR.has(status ?? "")) return [];',
  },
  {
    name: "a server that is being built has come",
    file: MAKER,
    line: "if (launchedAt === null || UNCLEAR",
    becomes: "if (UNCLEAR",
  },
  {
    name: "a server from before the ledger is new",
    file: MAKER,
    line: "const isNew = state.createdAt === null || state.createdAt >= this.#beganAt;",
    becomes: "const isNew = true;",
  },
  {
    from: 90366,
    name: "a port is of the project of its server",
    file: MAKER,
    line: "  return null;\n}\n\n/** Memory with which",
    becomes:
      '  return memory.server(memory.port(id)?.serverId ?? "")?.snapshot.projectId ?? null;\n}\n\n/** Memory with which',
  },
  {
    from: 9655,
    name: "rights are not proven after the first questions",
    file: COMPARISON,
    line: "if (suspects.length > 0) await prove(suspects);",
    becomes: "",
  },
  {
    name: "every project is visible to everyone",
    file: RIGHTS,
    line: "return this.isComplete || (",
    becomes: "return true || (",
  },
  {
    name: "ports prove what a network's owner sees",
    file: RIGHTS,
    line: 'if (page.listing === "ports" && !this.#scope.isAdmin) return;',
    becomes: "",
  },
  {
    name: "the role proves that all projects are visible",
    file: RIGHTS,
    line: "|| this.isProvenByListing)",
    becomes: "|| this.#scope.isAdmin)",
  },
  {
    name: "a deleted server proves what is visible",
    file: RIGHTS,
    line: 'if (record.projectId === null || ("status" in record && record.status === "DELETED")) continue;',
    becomes: "if (record.projectId === null) continue;",
  },
  { name: "controls are not asked for", file: PROOF, line: "if (unseen.length === 0) return;", becomes: "return;" },
  {
    from: 4041,
    name: "a changed scope does not matter",
    file: PROOF,
    line: "if (changes.length > 0) throw",
    becomes: "if (changes.length > 99) throw",
  },
  {
    name: "nothing of what is remembered needs to be there",
    file: "src/reconcile/same_cloud.ts",
    line: "if (provable.length > 0 && !await",
    becomes: "if (provable.length < 0 && !await",
  },
  {
    from: 1796,
    name: "the order of a plan is the reverse",
    file: "src/reconcile/in_order.ts",
    line: "slices(PLAN_ORDER.flatMap(",
    becomes: "slices(PLAN_ORDER.toReversed().flatMap(",
  },
  {
    from: 1126,
    name: "an observation may be older than memory",
    file: "src/facts/observed.ts",
    line: "if (known !== undefined && (isOvertaken || isOutdated(state, known, readAtMs))) {",
    becomes: "if (known !== undefined && isOvertaken && known.deleted && isOutdated(state, known, readAtMs)) {",
  },
  {
    name: "Neutron is never restored",
    file: "src/facts/revisions.ts",
    line: "return (isLower || known.deleted) && mayBeNewer(known, readAtMs);",
    becomes: "return isLower || known.deleted;",
  },
  {
    name: "a deletion is told again",
    file: "src/facts/observed.ts",
    line: 'if (known.deleted) return { outcome: "repeated", reason: `another finding of ${deletionKey(id)}` };',
    becomes: "",
  },
  {
    from: 2770,
    name: "a restored ledger counts on from its backup",
    file: "src/facts/number_after.ts",
    line: "return Math.max(last, Math.floor(restoredAtMs / 1000)) + 1;",
    becomes: "return last + 1 + 0 * restoredAtMs;",
  },
  {
    from: 87155,
    name: "the questions are asked in one moment",
    file: "tests/reconcile/model/run.ts",
    line: "const CONFIRM_MS = 60_000;",
    becomes: "const CONFIRM_MS = 0;",
  },
  {
    name: "every scope is accepted",
    file: "tests/reconcile/model/run.ts",
    line: "acceptsScope: isConfirmed",
    becomes: "acceptsScope: true",
  },
];
