import assert from "node:assert/strict";
import { EXPECTED } from "../facts/expected_events.ts";
import { CloudBus, PASSWORD } from "../support/bus.ts";
import { mergeByTime, readCapture } from "../support/captures.ts";
import { ProgramDirectory, type RunningProgram, startProgram } from "../support/program.ts";
import { matchesSnapshot } from "../support/snapshot.ts";
import { until } from "../support/until.ts";

/** Long enough for a machine that is busy with much else. */
const LONG_MS = 120_000;
const PERMISSIONS = ["--allow-net", "--allow-read", "--allow-write", "--allow-env"];

const RUN = mergeByTime(readCapture("unversioned.jsonl"), readCapture("versioned.jsonl"));
const HOSTILE = { key: "hostile", text: "web\x1b[2J\u202e\r\nroot" };

let bus: CloudBus;

Deno.test.beforeAll(async () => {
  bus = await CloudBus.open();
});

Deno.test.afterAll(() => bus[Symbol.asyncDispose]());

Deno.test("tail shows every event of the recorded cloud on one line, and ends with 0 at Ctrl-C", async () => {
  using dir = directory(bus.source());
  await using program = await listening(dir, ["tail"]);
  await bus.replay(RUN);
  const lines = await until(() => {
    const lines = program.out.trimEnd().split("\n");
    return lines.length >= EXPECTED.length ? lines : null;
  }, LONG_MS);
  const { code } = await program.end("SIGINT");
  assert.equal(code, 0);
  assert.equal(lines.length, EXPECTED.length);
  for (const line of lines) assert.match(line, /^\d\d:\d\d:\d\d (created|deleted|associated|released) +\S/);
  assert.deepEqual(
    lines.map((line) => line.trim().split(/ +/).at(-1)),
    EXPECTED.map(({ server }) => server ?? "-"),
  );
  assert.equal(hostileIn(program.out), null);
  await matchesSnapshot(program.out, new URL("snapshots/tail.txt", import.meta.url));
  assert.match(program.err, /^Listening at 127\.0\.0\.1:\d+\. Ctrl-C ends\n$/);
});

Deno.test("tail --json gives the keys and the details that the service would give", async () => {
  using dir = directory(bus.source());
  await using program = await listening(dir, ["tail", "--json"]);
  await bus.replay(RUN);
  await until(() => program.out.split("\n").length > EXPECTED.length, LONG_MS);
  await program.end("SIGTERM");
  const events = program.out.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(
    events.map(({ key, detail: { ID, IP } }) => ({ key, server: ID, ip: IP })),
    EXPECTED.map(({ key, server, ip }) => ({ key, server, ip })),
  );
});

Deno.test("tail --all shows every notification once, of every topic, and nothing hostile", async () => {
  using dir = directory(bus.source());
  await using program = await listening(dir, ["tail", "--all"]);
  await bus.publisher.publish({
    exchange: "nova",
    routingKey: "monitoring.info",
    body: JSON.stringify({
      message_id: HOSTILE.key,
      event_type: "compute.instance.update",
      payload: { display_name: HOSTILE.text },
    }),
  });
  const lines = readCapture("unversioned.jsonl").filter(({ exchange }) => ["nova", "neutron"].includes(exchange));
  // A call of Nova's to itself is none of it.
  await bus.publisher.publish({ exchange: "nova", routingKey: "compute.host-1", body: `{"oslo.message": "{}"}` });
  await bus.replay([...lines, ...lines.slice(0, 50)]);
  await until(() => program.out.split("\n").length > lines.length + 1, LONG_MS);
  await program.end("SIGINT");
  const shown = program.out.trimEnd().split("\n");
  assert.equal(shown.length, lines.length + 1);
  assert.match(shown[0] ?? "", /^--:--:-- {2}nova {2}monitoring\.info {2}compute\.instance\.update {2}web\\u\{1b\}/);
  assert.equal(hostileIn(program.out), null);
});

Deno.test("tail takes nothing from the service's queue and leaves no queue behind", async () => {
  const queue = "oss-watcher-untouched";
  using dir = directory(bus.source({ queue: { name: queue } }));
  await bus.rabbit.ctl("eval", declare(queue));
  await using program = await listening(dir, ["tail"]);
  assert.match(await bus.rabbit.ctl("list_queues", "name"), /^oss-watcher-untouched\.tail\.[0-9a-f]{8}$/m);
  await program.end("SIGINT");
  await until(async () => !/\.tail\./.test(await bus.rabbit.ctl("list_queues", "name")), LONG_MS);
  assert.match(await bus.rabbit.ctl("list_queues", "name"), /^oss-watcher-untouched$/m);
});

Deno.test("tail goes on when the connection was lost", async () => {
  using dir = directory(bus.source());
  await using program = await listening(dir, ["tail"]);
  await bus.rabbit.ctl("close_all_user_connections", "watcher", "a test");
  await until(() => /trying again/.test(program.err), LONG_MS);
  await until(async () => {
    await bus.replay(
      readCapture("unversioned.jsonl").filter(({ body }) => body.includes("compute.instance.create.end")),
    );
    return program.out !== "";
  }, LONG_MS);
  assert.equal((await program.end("SIGINT")).code, 0);
});

Deno.test("tail ends quietly when nobody reads it any more", async () => {
  using dir = directory(bus.source());
  // As `oss-watcher tail | head -n 1`, with its own exit code.
  const prefix = ["bash", "-c", '"$@" | head -n 1; echo "${PIPESTATUS[0]}"', "tail"];
  await using program = startProgram({ dir: dir.path(), args: ["tail"], permissions: PERMISSIONS, prefix });
  await until(() => /^Listening at/.test(program.err), LONG_MS);
  await bus.replay(RUN);
  await program.ended();
  assert.match(program.out, /^\d\d:\d\d:\d\d created [^\n]+\n141\n$/);
  assert.match(program.err, /^Listening at [^\n]+\n$/);
});

for (const [command, code] of [["tail", 0], ["doctor", 1]] as const) {
  Deno.test(`${command} that waits for a broker that says nothing ends at Ctrl-C, with exit code ${code}`, async () => {
    using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    using dir = directory({ ...bus.source(), port: silent.addr.port });
    await using program = startProgram({ dir: dir.path(), args: [command], permissions: PERMISSIONS });
    using _connection = await silent.accept();
    const end = await program.end("SIGINT");
    assert.equal(end.code, code, program.err);
    const said = `Cannot connect to RabbitMQ at 127.0.0.1:${silent.addr.port}: interrupted\n`;
    assert.equal(program.err, code === 0 ? "" : said);
  });
}

Deno.test("tail without the right to a temporary queue says which right it needs, with exit code 1", async () => {
  using dir = directory(bus.source({ queue: { name: "another" } }));
  await using program = startProgram({ dir: dir.path(), args: ["tail"], permissions: PERMISSIONS });
  const { code } = await program.ended();
  assert.equal(code, 1);
  assert.match(
    program.err,
    /^RabbitMQ does not let us declare the temporary queue "another\.tail\.[0-9a-f]{8}": (?:configure )?access to queue [^\n]+ Our user needs the right to configure, write and read queues whose names begin with "another\.tail"\n$/,
  );
});

function declare(queue: string): string {
  return `rabbit_amqqueue:declare(rabbit_misc:r(<<"/">>, queue, <<"${queue}">>), true, false, [], none, <<"guest">>).`;
}

async function listening(dir: ProgramDirectory, args: readonly string[]): Promise<RunningProgram> {
  const program = startProgram({ dir: dir.path(), args, permissions: PERMISSIONS });
  await until(() => /^Listening at/.test(program.err) || program.err.includes("Cannot"), LONG_MS);
  assert.match(program.err, /^Listening at/);
  assert.ok(!program.err.includes(PASSWORD));
  return program;
}

function directory(rabbit: Readonly<Record<string, unknown>>): ProgramDirectory {
  return new ProgramDirectory({
    "config.ts": `export default {
  events: {
    creation: ["compute.instance.create.end", "floatingip.update.end"],
    deletion: ["compute.instance.delete.end", "floatingip.update.end"],
  },
  plugins: [{ name: "Silent", notify() { throw new Error("tail called notify"); } }],
  rabbit: ${JSON.stringify(rabbit)},
};
`,
  });
}

/** What a terminal would obey or hide; `null` for nothing. */
function hostileIn(text: string): string | null {
  return text.replaceAll("\n", "").match(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)?.[0] ?? null;
}
