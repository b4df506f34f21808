import assert from "node:assert/strict";
import type { OverviewAnswer, PluginOverview } from "../../src/console/api.ts";
import { problemsOf } from "../../src/console/problems.ts";

const NOW = Date.UTC(2026, 10, 30, 12);
const HOUR_MS = 3_600_000;

const PLUGIN: PluginOverview = {
  name: "Cmdb",
  isConfigured: true,
  waiting: 0,
  retrying: 0,
  dead: 0,
  oldestAt: null,
  breaker: "closed",
  paused: null,
  outage: null,
  attemptsPerMinute: 0,
  failuresPerMinute: 0,
  p50Seconds: null,
  p99Seconds: null,
};

const WELL: Omit<OverviewAnswer, "problems"> = {
  now: NOW,
  version: "1",
  startedAt: NOW - 24 * HOUR_MS,
  sources: [{ broker: "rabbit:5672/", queue: "q", connected: true, consuming: true }],
  lastMessageAt: NOW - 1000,
  messages: { received: 1, ignored: 0, rejected: 0, recorded: 1 },
  ledger: { kind: "sqlite", writable: true },
  openstack: { lastComparison: null, agreedAt: NOW - HOUR_MS, deciding: true },
  plugins: [PLUGIN],
  process: { residentBytes: 1, cpuSeconds: 1 },
};

const DRIFT = { untold: 0, gone: 0, moved: 0, changed: 0 };
const outage = { since: NOW - 2 * HOUR_MS, nextProbeAt: NOW, reason: "timeout", error: "no answer" } as const;

const cases: readonly (readonly [
  what: string,
  change: Partial<typeof WELL>,
  found: readonly [string, RegExp, string | null][],
])[] = [
  ["all is well", {}, []],
  ["a breaker is open, and the ledger has not been asked yet", { plugins: [{ ...PLUGIN, breaker: "open" }] }, [[
    "error",
    /^The target of Cmdb cannot be reached, or fails$/,
    "#/plugins/Cmdb",
  ]]],
  ["the disk is full", { ledger: { kind: "sqlite", writable: false } }, [[
    "error",
    /cannot be written: The disk is full/,
    null,
  ]]],
  ["PostgreSQL is away", { ledger: { kind: "postgres", writable: false } }, [[
    "error",
    /PostgreSQL does not answer/,
    null,
  ]]],
  ["RabbitMQ is away", { sources: [{ broker: "rabbit:5672/", queue: "q", connected: false, consuming: false }] }, [
    ["error", /^There is no connection to RabbitMQ at rabbit:5672\/$/, null],
  ]],
  ["another process consumes", {
    ledger: { kind: "postgres", writable: true },
    sources: [{ broker: "rabbit:5672/", queue: "q", connected: true, consuming: false }],
  }, []],
  ["nothing comes", { lastMessageAt: NOW - 3 * HOUR_MS }, [[
    "warning",
    /^No notification has come for 3 hours$/,
    null,
  ]]],
  ["a comparison was withheld", {
    openstack: {
      lastComparison: { endedAt: NOW, outcome: "withheld", problem: "12 gone", drift: DRIFT, undecided: 0 },
      agreedAt: NOW - 4 * 24 * HOUR_MS,
      deciding: true,
    },
  }, [["error", /lacks more of what targets were told/, "#/drift"], ["warning", /succeeded for 4 days$/, "#/drift"]]],
  ["a plugin has everything", {
    plugins: [
      { ...PLUGIN, waiting: 5, oldestAt: NOW - 2 * HOUR_MS, dead: 1 },
      { ...PLUGIN, name: "Slow", waiting: 5, retrying: 1, oldestAt: NOW - 2 * HOUR_MS },
      { ...PLUGIN, name: "A/B", breaker: "open", outage, waiting: 3 },
      { ...PLUGIN, name: "Paused", paused: { at: NOW, by: "anna (console)" }, waiting: 1 },
      { ...PLUGIN, name: "Gone", isConfigured: false, waiting: 2 },
    ],
  }, [
    ["error", /^The target of A\/B cannot be reached, or fails, for 2 hours: no answer$/, "#/plugins/A%2FB"],
    ["warning", /^A delivery of Cmdb has waited for 2 hours$/, "#/events?plugin=Cmdb&state=waiting"],
    ["warning", /^Cmdb has 1 dead letter$/, "#/dead-letters?plugin=Cmdb"],
    ["warning", /^A delivery of Slow has waited for 2 hours$/, "#/events?plugin=Slow&state=retrying"],
    [
      "warning",
      /^Paused is paused since 2026-11-30T12:00:00\.000Z by anna \(console\): 1 delivery waits$/,
      "#/plugins/Paused",
    ],
    ["warning", /^2 deliveries wait for Gone, which is not configured$/, "#/plugins/Gone"],
  ]],
];

for (const [what, change, expected] of cases) {
  Deno.test(`problemsOf() names what is wrong when ${what}, the errors first, each with a remedy`, () => {
    const found = problemsOf({ ...WELL, ...change }, { liveness: [] });
    assert.deepEqual(found.map(({ level, link }) => [level, link]), expected.map(([level, , link]) => [level, link]));
    for (const [index, [, text]] of expected.entries()) {
      assert.match(found[index]!.text, text);
      const parts = found[index]!.remedy.split("`");
      assert.match(parts.join(""), /\w/);
      // What stands between backticks can be copied and run; no command stands elsewhere.
      assert.ok(
        parts.every((part, at) => at % 2 === 1 ? /^oss-watcher [a-z]+[^;.,]*$/.test(part) : !/oss-watcher/.test(part)),
      );
    }
  });
}

Deno.test("problemsOf() tells of a stage that is stuck", () => {
  const [problem] = problemsOf(WELL, { liveness: ["Cmdb has not moved for a minute"] });
  assert.deepEqual([problem!.level, problem!.text], ["error", "Cmdb has not moved for a minute"]);
});

Deno.test("the command of a remedy can be copied as it stands, whatever the plugin's name", () => {
  const [{ remedy = "" } = {}] = problemsOf({ ...WELL, plugins: [{ ...PLUGIN, name: "my chat", breaker: "open" }] }, {
    liveness: [],
  });

  assert.match(remedy ?? "", /`oss-watcher plugins try 'my chat'`/);
});
