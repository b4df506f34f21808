import assert from "node:assert/strict";
import { EXPECTED } from "../facts/expected_events.ts";
import { CloudBus } from "../support/bus.ts";
import { mergeByTime, readCapture } from "../support/captures.ts";
import { ProgramDirectory, READ_ONLY, runProgram, startProgram } from "../support/program.ts";
import { until } from "../support/until.ts";

const LONG_MS = 120_000;
const PERMISSIONS = ["--allow-net", "--allow-read", "--allow-write", "--allow-env"];
const RUN = mergeByTime(readCapture("unversioned.jsonl"), readCapture("versioned.jsonl"))
  .filter(({ exchange }) => exchange === "nova" || exchange === "neutron");

let bus: CloudBus;

Deno.test.beforeAll(async () => {
  bus = await CloudBus.open();
});

Deno.test.afterAll(() => bus[Symbol.asyncDispose]());

Deno.test("record writes what a dry run reads as the same events, for its owner alone", async () => {
  using dir = directory();
  await using program = recording(dir, ["record", "run.jsonl", "--count", String(INFO.length)]);
  await until(() => program.err.includes("Recording from"), LONG_MS);
  await bus.replay(RUN);
  const { code } = await program.ended();
  assert.deepEqual([code, program.out], [0, ""]);
  assert.match(program.err, new RegExp(`\\nWrote ${INFO.length} notifications to "run\\.jsonl"\\n$`));
  assert.equal((Deno.statSync(dir.path("run.jsonl")).mode ?? 0) & 0o777, 0o600);
  const dry = await runProgram({ dir: dir.path(), args: ["--dry-run", "run.jsonl", "--json"], permissions: READ_ONLY });
  const keys = dry.out.trimEnd().split("\n").flatMap((line) => JSON.parse(line).events).map(({ key }) => key);
  assert.deepEqual(keys, EXPECTED.map(({ key }) => key));
});

Deno.test("record --all has what comes on .error, too, without its tokens", async () => {
  using dir = directory();
  await using program = recording(dir, ["record", "run.jsonl", "--all"]);
  await until(() => program.err.includes("Recording from"), LONG_MS);
  await bus.replay(RUN.filter(({ routing_key }) => routing_key === "notifications.error"));
  await until(() => /build_instances/.test(Deno.readTextFileSync(dir.path("run.jsonl"))), LONG_MS);
  assert.equal((await program.end("SIGINT")).code, 0);
  assert.doesNotMatch(Deno.readTextFileSync(dir.path("run.jsonl")), /gAAAA/);
});

Deno.test("record --seconds ends by itself, with exit code 3 when nothing came", async () => {
  using dir = directory();
  await using program = recording(dir, ["record", "none.jsonl", "--seconds", "0.1"]);
  const { code } = await program.ended();
  assert.equal(code, 3);
  assert.match(program.err, /\nWrote 0 notifications\n$/);
  assert.deepEqual([...Deno.readDirSync(dir.path())].map(({ name }) => name), ["config.ts"]);
});

for (
  const { name, args, files, said } of [
    {
      name: "a file that is there",
      args: ["there.jsonl"],
      files: { "there.jsonl": "{}\n" },
      said: 'Cannot write "there.jsonl": it exists already. Name another file, or add --append\n',
    },
    {
      name: "a file whose last line is broken",
      args: ["there.jsonl", "--append"],
      files: { "there.jsonl": '{}\n{"body": ' },
      said: 'Cannot append to "there.jsonl": its last line has no end. Complete or remove that line\n',
    },
    {
      name: "a file in no directory",
      args: ["nowhere/run.jsonl"],
      files: {},
      said: 'Cannot write "nowhere/run.jsonl": its directory is not there. Make it, or name another\n',
    },
  ]
) {
  Deno.test(`record leaves ${name} as it is, with exit code 1`, async () => {
    using dir = directory(files);
    const { code, err } = await runProgram({ dir: dir.path(), args: ["record", ...args], permissions: PERMISSIONS });
    assert.deepEqual([code, err], [1, said]);
    for (const [file, text] of Object.entries(files)) assert.equal(Deno.readTextFileSync(dir.path(file)), text);
  });
}

Deno.test("record without a broker says so at once, with exit code 1 and without a file", async () => {
  using dir = directory({}, { port: 1 });
  const { code, err } = await runProgram({ dir: dir.path(), args: ["record", "run.jsonl"], permissions: PERMISSIONS });
  assert.equal(code, 1);
  assert.match(err, /^Cannot connect to RabbitMQ at 127\.0\.0\.1:1: refused\. [^\n]+\n$/);
  assert.deepEqual([...Deno.readDirSync(dir.path())].map(({ name }) => name), ["config.ts"]);
});

const INFO = RUN.filter(({ routing_key }) => routing_key.endsWith("notifications.info"));

function recording(dir: ProgramDirectory, args: readonly string[]) {
  return startProgram({ dir: dir.path(), args, permissions: PERMISSIONS });
}

function directory(
  files: Readonly<Record<string, string | undefined>> = {},
  source: Readonly<Record<string, unknown>> = {},
): ProgramDirectory {
  const given = Object.entries(files).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return new ProgramDirectory({
    ...Object.fromEntries(given),
    "config.ts": `export default {
  events: {
    creation: ["compute.instance.create.end", "floatingip.update.end"],
    deletion: ["compute.instance.delete.end", "floatingip.update.end"],
  },
  plugins: [{ name: "Silent", notify() {} }],
  rabbit: ${JSON.stringify({ ...bus.source(), ...source })},
};
`,
  });
}
