import assert from "node:assert/strict";
import fc from "fast-check";
import { OpenStackUnavailable } from "../../src/openstack/errors.ts";
import { idOf, type Kind, MadeCloud } from "../support/made_cloud.ts";
import { Opened } from "./opened.ts";

/** How the services and what is between answer. */
interface Manner {
  readonly count: number;
  readonly maxLimit: number;
  readonly dropsLinks: boolean;
  readonly keepsDeleted: boolean;
  readonly emulatesPages: boolean;
  /** Places of what a policy hides. */
  readonly hidden: readonly number[];
}

/** What happens just before a request is answered. */
interface Happening {
  readonly request: number;
  /**
   * Somebody deletes the marker, what surrounds it, or any one; the service fails; a new one is
   * made.
   */
  readonly what: "marker" | "around" | "any" | "failure" | "new";
  readonly place: number;
}

const MANNERS: fc.Arbitrary<Manner> = fc.record({
  count: fc.nat(14),
  maxLimit: fc.integer({ min: 1, max: 5 }),
  dropsLinks: fc.boolean(),
  keepsDeleted: fc.boolean(),
  emulatesPages: fc.boolean(),
  hidden: fc.uniqueArray(fc.nat(14), { maxLength: 3 }),
});

const HAPPENINGS: fc.Arbitrary<readonly Happening[]> = fc.array(
  fc.record({
    request: fc.integer({ min: 1, max: 12 }),
    what: fc.constantFrom("marker", "around", "any", "failure", "new"),
    place: fc.nat(14),
  }),
  { maxLength: 6 },
);

const PREFIX = { servers: "5e", ports: "b0", floatingips: "f1" } as const;

/** A list that changes while it is read. */
class ChangingList {
  readonly #opened: Opened;
  readonly #cloud: MadeCloud;
  readonly #kind: Kind;
  readonly removed = new Set<string>();
  #nextNumber = 0;

  constructor(opened: Opened, cloud: MadeCloud, kind: Kind) {
    [this.#opened, this.#cloud, this.#kind] = [opened, cloud, kind];
  }

  happen(happenings: readonly Happening[], count: number): void {
    let request = 0;
    this.#nextNumber = count;
    this.#opened.server.intercept = (taken) => {
      if (!taken.path.includes("limit=")) return this.#cloud.intercept(taken);
      request++;
      const marker = new URL(taken.path, "http://here").searchParams.get("marker");
      const now = happenings.filter((one) => one.request === request);
      for (const one of now) this.#happen(one, marker);
      if (now.some(({ what }) => what === "failure")) return new Response(null, { status: 500 });
      return this.#cloud.intercept(taken);
    };
  }

  #happen({ what, place }: Happening, marker: string | null): void {
    const list = this.#cloud.lists[this.#kind];
    const at = list.findIndex(({ id }) => id === marker);
    if (what === "marker" && at !== -1) this.#remove(at, at);
    if (what === "around" && at !== -1) this.#remove(Math.max(0, at - 1), at + 1);
    if (what === "any" && place < list.length) this.#remove(place, place);
    if (what === "new") this.#cloud.add(this.#nextNumber++);
  }

  #remove(first: number, last: number): void {
    for (const { id } of this.#cloud.lists[this.#kind].slice(first, last + 1)) {
      this.removed.add(String(id));
      this.#cloud.remove(this.#kind, String(id));
    }
  }
}

/** The ids of all pages. A page that fails is asked for again, as CloudReader does. */
async function read(opened: Opened, kind: Kind): Promise<readonly string[] | OpenStackUnavailable> {
  const found: string[] = [];
  const { api } = opened;
  const method = kind === "floatingips" ? "floatingIps" : kind;
  let after: string | null = null;
  for (let failures = 0; failures < 20;) {
    try {
      for await (const { records, next } of api[method]({ after })) {
        found.push(...records.map(({ id }: { id: string }) => id));
        after = next;
      }
      assert.equal(after, null);
      return found;
    } catch (error) {
      if (!(error instanceof OpenStackUnavailable)) throw error;
      if (error.status !== 500) return error;
      failures++;
    }
  }
  return assert.fail("It fails for ever");
}

for (const kind of ["servers", "ports", "floatingips"] as const) {
  Deno.test(`a list of ${kind} that changes while it is read gives all that is there all the time`, async () => {
    await using opened = new Opened({}, { pageSize: 5 });
    await fc.assert(
      fc.asyncProperty(MANNERS, HAPPENINGS, async ({ count, hidden, ...manner }, happenings) => {
        const cloud = await MadeCloud.behind(opened.server, { servers: count, floatingIps: 1000 });
        Object.assign(cloud, manner);
        // Only Neutron hides; what is behind a page of hidden ones alone cannot be found.
        const isHiding = kind !== "servers" && manner.maxLimit > hidden.length;
        for (const place of isHiding ? hidden : []) cloud.hidden.add(idOf(PREFIX[kind], place));
        const list = new ChangingList(opened, cloud, kind);
        const before = cloud.lists[kind].map(({ id }) => String(id));
        list.happen(happenings, count);

        const found = await read(opened, kind);

        if (found instanceof OpenStackUnavailable) {
          assert.match(found.message, /restarts again and again|could not be found|not found/);
          assert.ok(happenings.length > 2, "It gave up early");
          return;
        }
        const lacking = before.filter((id) => !list.removed.has(id) && !cloud.hidden.has(id) && !found.includes(id));
        assert.deepEqual(lacking, []);
      }),
      { numRuns: 300 },
    );
  });
}
