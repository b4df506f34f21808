import assert from "node:assert/strict";
import { makeDetail } from "../../../src/detail/make_detail.ts";
import type { Detail } from "../../../src/model/detail.ts";
import type { ListedResource, NotifyContext, Plugin } from "../../../src/model/plugin.ts";
import { filterOf } from "../../../src/model/plugin_filter.ts";
import { when, type WhenOptions } from "../../../src/wire/options/when.ts";
import { madeServerEvent } from "../../support/made_events.ts";

const SERVER = { subject: "server", created: true } as const;

class Full implements Plugin {
  readonly name = "Full";
  readonly #calls: string[] = [];

  get calls(): readonly string[] {
    return this.#calls;
  }

  notify(): void {
    this.#calls.push("notify");
  }

  update(): Promise<void> {
    this.#calls.push("update");
    return Promise.resolve();
  }

  preview(): string {
    return `preview of ${this.#calls.length}`;
  }

  previewUpdate(): string {
    return `preview of an update of ${this.#calls.length}`;
  }

  check(): Promise<void> {
    return Promise.reject(new Error(`refused ${this.#calls.length}`));
  }

  async *list(): AsyncGenerator<ListedResource> {
    this.#calls.push("list");
    yield { subject: "server", id: "s", fingerprint: "f" };
  }

  expected(): never[] {
    this.#calls.push("expected");
    return [];
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#calls.push("dispose");
    return Promise.resolve();
  }
}

Deno.test("when() passes everything through to the plugin, on the plugin itself", async () => {
  const full = new Full();
  const plugin = when(when(full, {}), { created: true });
  const [detail, context] = [detailOf(), {} as NotifyContext];
  await plugin.notify(detail, true, context);
  await plugin.update!(detail, {} as never);
  assert.equal(plugin.preview!(detail, true, context), "preview of 2");
  assert.equal(plugin.previewUpdate!(detail, {} as never), "preview of an update of 2");
  await assert.rejects(async () => await plugin.check!(new AbortController().signal), /refused 2/);
  const listed = await Array.fromAsync(plugin.list!(new AbortController().signal), ({ id }) => id);
  assert.deepEqual(listed, ["s"]);
  assert.deepEqual(await plugin.expected!([]), []);
  await plugin[Symbol.asyncDispose]!();
  assert.deepEqual(full.calls, ["notify", "update", "list", "expected", "dispose"]);
  assert.equal(filterOf(plugin)?.plugin, full);
  assert.deepEqual(filterOf(plugin)?.options, [{ created: true }, {}]);
});

Deno.test("when() has the members that the plugin has, and its name", () => {
  class Plain {
    notify(): void {}
  }
  assert.deepEqual(Object.keys(when(new Plain())).sort(), ["name", "notify"]);
  assert.equal(when(new Plain()).name, "Plain");
  assert.equal(when({ name: "own", notify() {} }).name, "own");
  assert.equal(when({ notify() {} }).name, "");
  assert.equal(filterOf(new Plain()), null);
});

Deno.test("when() passes frozen plugins through, and what is no function as it is, for check to refuse", () => {
  const frozen = Object.freeze({ name: "f", notify: () => {}, update: 5 as never });
  assert.equal(when(frozen).update, 5);
});

Deno.test("when() matches by subject, project and function, all of them", () => {
  const cases: readonly [WhenOptions, boolean][] = [
    [{}, true],
    [{ subjects: ["server"] }, true],
    [{ subjects: ["floatingip"] }, false],
    [{ projects: ["f2d0e8a2c0a64d4fa5d0b6c7e3b2a1c4"] }, true],
    [{ projects: ["web"] }, true],
    [{ projects: ["WEB", "00000000000000000000000000000000"] }, false],
    [{ match: ({ FQDN }, created) => created && FQDN === "alpha" }, true],
    [{ subjects: ["server"], projects: ["web"], match: () => false }, false],
    [{ projects: ["other"], match: () => assert.fail("It is not asked") }, false],
  ];
  for (const [options, expected] of cases) {
    const { matches } = boundFilter(options);
    assert.equal(matches(detailOf(), SERVER), expected, JSON.stringify(options));
  }
});

Deno.test("when() of a plugin that has a filter needs both to match", () => {
  const inner = when({ name: "p", notify() {} }, { subjects: ["server"] });
  const both = filterOf(when(inner, { match: ({ FQDN }) => FQDN === "alpha" }))!;
  assert.ok(both.matches(detailOf(), SERVER));
  assert.ok(!both.matches(detailOf({ FQDN: "beta" }), SERVER));
  assert.ok(!both.matches(detailOf(), { subject: "floatingip", created: true }));
  const never = filterOf(when(when(inner, { created: true }), { created: false }))!;
  assert.deepEqual([never.tells(true), never.tells(false)], [false, false]);
  assert.deepEqual([both.tells(true), both.tells(false)], [true, true]);
});

Deno.test("when() cannot decide on a project without a name where names are listed", () => {
  const [id] = [detailOf().ProjectID];
  const nameless = detailOf({ ProjectName: null });
  const { matches } = boundFilter({ projects: ["web"] });
  assert.throws(
    () => matches(nameless, SERVER),
    new RegExp(
      `^PermanentError: Cannot tell whether projects of when allow an event for p: the name of project ${id} `,
    ),
  );
  assert.ok(boundFilter({ projects: ["web", id!] }).matches(nameless, SERVER));
  assert.ok(!boundFilter({ projects: ["00000000000000000000000000000000"] }).matches(nameless, SERVER));
  // Of a floating IP on a port that is no server's.
  assert.ok(!matches(detailOf({ ProjectID: null, ProjectName: null }), SERVER));
});

for (
  const [what, match, text] of [
    ["throws", () => {
      throw new Error("boom");
    }, "threw: boom"],
    ["returns no boolean", () => 1, "returned the number 1; it must return true or false"],
    ["is async", () => Promise.resolve(true), "returned a promise: it must not be async; it must return true or false"],
    ["returns a rejection", () => Promise.reject(new Error("x")), "returned a promise: it must not be async; it must"],
  ] as const
) {
  Deno.test(`when() makes a permanent error that names the function when match ${what}`, () => {
    const { matches } = boundFilter({ match: match as never });
    assert.throws(() => matches(detailOf(), SERVER), (error: Error) => {
      assert.equal(error.name, "PermanentError");
      assert.ok(
        error.message.startsWith(`Cannot make when.match of p: its function in config.ts ${text}`),
        error.message,
      );
      return true;
    });
  });
}

Deno.test("when() makes a permanent error when match takes 5 s", () => {
  const now = performance.now;
  let ahead = 0;
  performance.now = () => now.call(performance) + ahead;
  try {
    const { matches } = boundFilter({
      match: () => {
        ahead += 5000;
        return true;
      },
    });
    assert.throws(
      () => matches(detailOf(), SERVER),
      /^PermanentError: Cannot make when\.match of p: its function in config\.ts took 5\.\d s; it must answer at once$/,
    );
  } finally {
    performance.now = now;
  }
});

Deno.test("when() refuses wrong arguments, and names each", () => {
  const plugin = { name: "p", notify() {} };
  const refused: readonly [() => unknown, RegExp][] = [
    [
      () => when(Full as never),
      /^TypeError: Cannot make when: its first argument must be a plugin, as new EventLog\(\)/,
    ],
    [() => when(null as never), /^TypeError: Cannot make when: its first argument must be a plugin/],
    [() => when(plugin, [] as never), /^TypeError: Cannot make when: needs an object of options/],
    [
      () => when(plugin, { subjects: ["port"], projects: [""], created: 1, match: "x", more: 1 } as never),
      /^TypeError: Cannot make when: subjects: must be a list of "server" and "floatingip", not empty; projects: must be a list of ids or names, not empty; created: must be true or false; match: must be a function of detail and created; more: unknown option$/,
    ],
    [() => when(plugin, { subjects: [] }), /subjects: must be a list/],
  ];
  for (const [make, text] of refused) assert.throws(make, text);
});

function boundFilter(options: WhenOptions) {
  const filter = filterOf(when({ name: "p", notify() {} }, options))!;
  return { matches: filter.matches.bind(filter) };
}

function detailOf(known: Partial<Detail> = {}): Detail {
  const project = { projectId: "f2d0e8a2c0a64d4fa5d0b6c7e3b2a1c4", projectName: "web" };
  return { ...makeDetail(madeServerEvent("creation", { hostname: "alpha", ...project })).detail, ...known };
}
