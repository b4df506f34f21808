import assert from "node:assert/strict";
import { describeProcesses } from "../../src/cli/processes_text.ts";
import type { ProcessState } from "../../src/model/processes.ts";

const HOUR_MS = 3_600_000;

function made(name: string, more: Partial<ProcessState> = {}): ProcessState {
  return {
    name,
    version: "0.1.0",
    state: "running",
    startedMsAgo: 2 * HOUR_MS,
    seenMsAgo: 400,
    plugins: ["RestNotify"],
    leases: [],
    ...more,
  };
}

function held(...names: readonly string[]): Pick<ProcessState, "leases"> {
  return { leases: names.map((name) => ({ name, heldMs: HOUR_MS })) };
}

Deno.test("describeProcesses() lists who does what, plugins by their names", () => {
  const processes = [
    made("controller-1", held("plugin RestNotify", "facts")),
    made("controller-2", { ...held("housekeeping"), version: "0.2.0" }),
    made("controller-3"),
  ];
  assert.deepEqual(describeProcesses({ processes, free: [], differences: [] }).split("\n"), [
    "PROCESS       STATE    VERSION  SINCE  SEEN     DOES",
    "controller-1  running  0.1.0    2 h    0 s ago  (facts), RestNotify",
    "controller-2  running  0.2.0    2 h    0 s ago  (housekeeping)",
    "controller-3  running  0.1.0    2 h    0 s ago  nothing: it waits",
  ]);
});

Deno.test("describeProcesses() tells those that have stopped from those that are silent", () => {
  const processes = [
    made("one", { state: "stopped", seenMsAgo: 90_000 }),
    made("two", { state: "silent", seenMsAgo: HOUR_MS }),
  ];
  const [, one, two] = describeProcesses({ processes, free: [], differences: [] }).split("\n");
  assert.match(one!, /^one +stopped +0\.1\.0 +2 h +1 min 30 s ago +-$/);
  assert.match(two!, /^two +silent +0\.1\.0 +2 h +1 h ago +-$/);
});

Deno.test("describeProcesses() names what nobody does, and how configurations differ", () => {
  const text = describeProcesses({
    processes: [made("one")],
    free: ["facts", "plugin RestNotify"],
    differences: ['Compared with "one": The configuration of process "two" differs: it lacks the plugins RestNotify'],
  }).replace(/\s+/g, " ");
  assert.match(text, /Nobody does \(facts\), RestNotify: it is taken over within some seconds, if a process runs/);
  assert.match(
    text,
    /Compared with "one": The configuration of process "two" differs: it lacks the plugins RestNotify\./,
  );
});

Deno.test("describeProcesses() lets no name write to the terminal, and says when there is none", () => {
  const hostile = "one\x1b[2J\nrunning";
  const text = describeProcesses({ processes: [made(hostile)], free: [`plugin ${hostile}`], differences: [hostile] });
  assert.ok(!text.includes("\x1b"));
  assert.equal(text.split("\n")[2], "");
  assert.equal(
    describeProcesses({ processes: [], free: ["facts"], differences: [] }),
    "No process was there within a day.",
  );
});
