import assert from "node:assert/strict";
import { CloudBus, PASSWORD } from "../support/bus.ts";
import { readCapture } from "../support/captures.ts";
import { ProgramDirectory, type ProgramEnd, runProgram, startProgram } from "../support/program.ts";
import { until } from "../support/until.ts";

const LONG_MS = 120_000;
const PERMISSIONS = ["--allow-net", "--allow-read", "--allow-write", "--allow-env"];

let bus: CloudBus;

Deno.test.beforeAll(async () => {
  bus = await CloudBus.open();
});

Deno.test.afterAll(() => bus[Symbol.asyncDispose]());

for (const type of ["classic", "quorum"]) {
  Deno.test(`queue remove takes a ${type} queue away once it is free, and says so again`, async () => {
    const queue = `oss-watcher-${type}`;
    using dir = directory({ queue: { name: queue, type } });
    await using service = startProgram({ dir: dir.path(), args: [], permissions: PERMISSIONS });
    await until(() => service.err.includes("Listening on queue"), LONG_MS);

    const used = await remove(dir);
    assert.deepEqual([used.code, used.out], [1, ""]);
    assert.match(
      used.err,
      new RegExp(
        `^Cannot remove the queue "${queue}" at 127\\.0\\.0\\.1:\\d+: it has 1 consumer\\. Stop oss-watcher everywhere, or add --force\n`,
      ),
    );
    await service.end("SIGTERM");

    const [line] = readCapture("unversioned.jsonl").filter(({ exchange }) => exchange === "nova");
    await bus.replay([line!]);
    const full = await until(async () => {
      const end = await remove(dir);
      return /holds/.test(end.err) ? end : null;
    }, LONG_MS);
    assert.match(
      full.err,
      /: it holds 1 message that nobody has handled\. Start oss-watcher once more, or add --force\n/,
    );
    assert.equal(full.code, 1);

    const forced = await remove(dir, "--force");
    assert.equal(forced.code, 0);
    assert.match(
      forced.out,
      new RegExp(`^Removed the queue "${queue}" at 127\\.0\\.0\\.1:\\d+, with its bindings and 1 message\n$`),
    );
    assert.match(forced.err, /^The ledger stays: "[^"]+ledger\.db" and the files beside it\n$/);
    assert.doesNotMatch(await bus.rabbit.ctl("list_queues", "name"), new RegExp(queue));

    const again = await remove(dir);
    assert.equal(again.code, 0);
    assert.match(again.out, /^There is no queue "[^"]+" at [^ ]+: nothing to remove\n$/);
  });
}

Deno.test("queue remove leaves a watchQueue alone, even with --force, with exit code 1", async () => {
  using dir = directory({ watchQueue: "monitoring.info" });
  const { code, out, err } = await remove(dir, "--force");
  assert.deepEqual([code, out], [1, ""]);
  assert.match(
    err,
    /^Cannot remove the queue "monitoring\.info": it is a watchQueue, so others made it and may need it\./,
  );
});

Deno.test("queue remove at a broker that is not there says so, with exit code 1 and without the password", async () => {
  using dir = directory({ queue: { name: "oss-watcher" }, port: 1 });
  const { code, err } = await remove(dir);
  assert.equal(code, 1);
  assert.match(
    err,
    /^Cannot connect to RabbitMQ at 127\.0\.0\.1:1: refused\. Check rabbit\.host, rabbit\.port and that it runs\n/,
  );
  assert.ok(!err.includes(PASSWORD));
});

function remove(dir: ProgramDirectory, ...args: readonly string[]): Promise<ProgramEnd> {
  return runProgram({ dir: dir.path(), args: ["queue", "remove", ...args], permissions: PERMISSIONS });
}

function directory(more: Readonly<Record<string, unknown>>): ProgramDirectory {
  return new ProgramDirectory({
    "config.ts": `export default {
  events: { creation: ["compute.instance.create.end"], deletion: ["compute.instance.delete.end"] },
  plugins: [{ name: "Silent", notify() {} }],
  rabbit: ${JSON.stringify(bus.source(more))},
  ledger: { file: "./ledger.db" },
};
`,
  });
}
