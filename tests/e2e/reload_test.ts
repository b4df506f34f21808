import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { PERMISSIONS } from "../../tools/permissions.ts";
import { CloudPublisher } from "../../tools/publisher.ts";
import { type PrivateRabbit, startRabbit } from "../../tools/rabbitmq.ts";
import { Receiver } from "../../tools/receiver.ts";
import { Service } from "../../tools/service.ts";
import { EXPECTED } from "../facts/expected_events.ts";
import { mergeByTime, readCapture } from "../support/captures.ts";
import { NotifySocket } from "../support/notify_socket.ts";
import { ProgramDirectory } from "../support/program.ts";
import { until } from "../support/until.ts";

const LONG_MS = 120_000;
const MAIN = fileURLToPath(new URL("../../main.ts", import.meta.url));

const RUN = mergeByTime(readCapture("unversioned.jsonl"), readCapture("versioned.jsonl"))
  .filter(({ body }) => /(instance\.(create|delete)|floatingip\.\w+|port\.(update|delete))\.end/.test(body));

let rabbit: PrivateRabbit;

Deno.test.beforeAll(async () => void (rabbit = await startRabbit()));

Deno.test.afterAll(() => rabbit.stop());

Deno.test("service takes a new configuration and new code of a plugin at SIGHUP, and nothing is lost or comes twice", async () => {
  await using receiver = new Receiver();
  receiver.answer = () => new Promise((resolve) => setTimeout(() => resolve(new Response()), 20));
  using dir = new ProgramDirectory({
    "config.ts": config({ exchange: "reload", target: receiver }),
    "plugins/mine.ts": plugin("first"),
  });
  await using socket = await NotifySocket.open(dir.path("notify"));
  await using publisher = new CloudPublisher(rabbit.url);
  await publisher.declareExchange("reload", { durable: true });
  await using service = new Service(dir.path(), [], { NOTIFY_SOCKET: socket.address });
  await until(() => service.log.includes("Listening on queue"), LONG_MS);
  const { pid } = service;

  const publish = async (part: 0 | 1 | 2) => {
    const length = Math.ceil(RUN.length / 3);
    for (const { routing_key: routingKey, body } of RUN.slice(part * length, (part + 1) * length)) {
      await publisher.publish({ exchange: "reload", routingKey, body });
    }
  };
  const readied = () => socket.texts.filter((text) => text.startsWith("READY=1")).length;
  for (const [part, tag] of [[0, "second"], [1, "third"]] as const) {
    const before = receiver.requests.length;
    const published = publish(part);
    await until(() => receiver.requests.length > before && readied() === part + 1, LONG_MS);
    dir.write("plugins/mine.ts", plugin(tag));
    dir.write("config.ts", config({ exchange: "reload", target: receiver, creation: "instance.create.end" }));
    Deno.kill(pid, "SIGHUP");
    await until(() => listening(service) === part + 2, LONG_MS);
    await published;
  }
  await publish(2);
  await until(() => new Set(receiver.requests.map(({ key }) => key)).size === EXPECTED.length, LONG_MS);
  await until(() => readied() === 3, LONG_MS);
  assert.equal((await service.end("SIGTERM")).code, 0);
  assert.deepEqual(receiver.requests.map(({ key }) => key).toSorted(), EXPECTED.map(({ key }) => key).toSorted());
  assert.deepEqual(new Set(receiver.requests.map(({ path }) => path)), new Set(["/first", "/second", "/third"]));
  assert.match(service.log, /Handled events of creation: instance\.create\.end, floatingip\.update\.end\n/);
  await until(() => socket.texts.at(-1)?.startsWith("STOPPING=1"), LONG_MS);
  assert.deepEqual(
    socket.texts.map((text) => text.split("\n")[0]).filter((line) => !line!.startsWith("STATUS")),
    ["READY=1", "RELOADING=1", "READY=1", "RELOADING=1", "READY=1", "STOPPING=1"],
  );
  assert.deepEqual([...new Set(socket.received.map((one) => one.pid))], [pid]);
});

Deno.test("service goes on as it was when the new configuration is bad, and says why", async () => {
  await using receiver = new Receiver();
  using dir = new ProgramDirectory({
    "config.ts": config({ exchange: "bad", target: receiver }),
    "plugins/mine.ts": plugin("good"),
  });
  await using publisher = new CloudPublisher(rabbit.url);
  await publisher.declareExchange("bad", { durable: true });
  await using service = new Service(dir.path(), [], { HUSH: "hush-4711" });
  await until(() => listening(service) === 1, LONG_MS);

  const good = Deno.readTextFileSync(dir.path("config.ts"));
  const bad: readonly (readonly [change: () => void, says: RegExp])[] = [
    [
      () => dir.write("config.ts", good.replace("rabbit:", "rabit:")),
      /ERROR \(service\) {3}rabit: unknown key; did you/,
    ],
    [
      () => dir.write("config.ts", good.replace(/rabbit: .*,\n/, "")),
      /ERROR \(service\) {3}rabbit: missing: the service cannot start/,
    ],
    [() => dir.write("config.ts", `${good} {`), /Cannot load the configuration "[^"]*config\.ts": [^\n]*Syntax error/],
    [() => Deno.removeSync(dir.path("config.ts")), /there is no such file\. Put it there/],
    [() => {
      dir.write("config.ts", good);
      dir.write("plugins/mine.ts", `throw new Error("password=hush-4711"); export class Mine {}`);
    }, /config\.ts": password=\*\*\*\n/],
    [() => dir.write("plugins/mine.ts", LOOSE), /ERROR \(service\) loose \*\*\*\n/],
  ];
  for (const [index, [change, says]] of bad.entries()) {
    change();
    Deno.kill(service.pid, "SIGHUP");
    await until(() => refused(service) === index + 1, LONG_MS);
    assert.match(service.log, says);
  }
  const [line] = RUN.filter(({ body }) => body.includes("compute.instance.create.end"));
  await publisher.publish({ exchange: "bad", routingKey: "notifications.info", body: line!.body });
  await until(() => receiver.requests.length === 1, LONG_MS);
  assert.equal(receiver.requests[0]!.path, "/good");
  assert.ok(!service.log.includes("4711"));
  assert.equal(listening(service), 1);
  assert.equal((await service.end("SIGTERM")).code, 0);
});

/** Throws what nobody waits for, with what only the new configuration knows to be a secret, and does not end. */
const LOOSE = `import { env } from "oss-watcher";
  const value = env("HUSH");
  setTimeout(() => { throw new Error("loose " + value); });
  await new Promise(() => {});
  export class Mine {}`;

Deno.test("service that is told to stop while it reads a configuration that never ends stops", async () => {
  await using receiver = new Receiver();
  using dir = new ProgramDirectory({
    "config.ts": config({ exchange: "halted", target: receiver }),
    "plugins/mine.ts": plugin("good"),
  });
  await using service = new Service(dir.path());
  await until(() => listening(service) === 1, LONG_MS);
  dir.write("plugins/mine.ts", `for (;;);`);
  Deno.kill(service.pid, "SIGHUP");
  await until(() => service.log.includes("Reloading: reading"), LONG_MS);
  assert.equal((await service.end("SIGTERM")).code, 0);
  assert.match(service.log, /INFO \(service\) Stopped\n$/);
});

Deno.test("service that cannot go on with a new configuration ends with one clear line and exit code 1", async () => {
  await using receiver = new Receiver();
  using dir = new ProgramDirectory({
    "config.ts": config({ exchange: "refused", target: receiver }),
    "plugins/mine.ts": plugin("good"),
  });
  await using service = new Service(dir.path());
  await until(() => listening(service) === 1, LONG_MS);
  const text = Deno.readTextFileSync(dir.path("config.ts"));
  dir.write("config.ts", text.replace("guest:guest", "guest:wrong-4711"));
  Deno.kill(service.pid, "SIGHUP");
  assert.equal((await service.status).code, 1);
  await service.end("SIGKILL");
  assert.match(service.log.trimEnd().split("\n").at(-1)!, /^RabbitMQ at \S+ refuses user "guest": check rabbit\./);
  assert.ok(!service.log.includes("4711"));
});

Deno.test("service stops cleanly when the terminal goes in which it was started", async () => {
  await using receiver = new Receiver();
  using dir = new ProgramDirectory({
    "config.ts": config({ exchange: "terminal", target: receiver }),
    "plugins/mine.ts": plugin("good"),
  });
  const program = [Deno.execPath(), "run", "--quiet", ...PERMISSIONS, MAIN];
  const { stdout } = await new Deno.Command("python3", { args: ["-c", HANG_UP, ...program], cwd: dir.path() }).output();
  assert.equal(new TextDecoder().decode(stdout), "exit code 0\n");
});

/** Runs a program in a terminal of its own, and closes that once the service listens. */
const HANG_UP = `
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
seen = b""
while b"Listening on queue" not in seen:
    seen += os.read(terminal, 4096)
os.close(terminal)
print("exit code", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;

Deno.test("service takes no more memory with each reload", async () => {
  await using receiver = new Receiver();
  using dir = new ProgramDirectory({
    "config.ts": config({ exchange: "again", target: receiver }),
    "plugins/mine.ts": plugin("good"),
  });
  await using service = new Service(dir.path());
  await until(() => listening(service) === 1, LONG_MS);
  const reload = async (times: number) => {
    for (let count = listening(service), end = count + times; count < end; count++) {
      Deno.kill(service.pid, "SIGHUP");
      await until(() => listening(service) === count + 1, LONG_MS);
    }
    return residentMib(service.pid);
  };
  const before = await reload(5);
  const after = await reload(20);
  assert.ok(after < before + 25, `${before} MiB after 5 reloads, ${after} after 25`);
  assert.equal((await service.end("SIGTERM")).code, 0);
});

/** How many times it has begun to listen. */
function listening({ log }: Service): number {
  return log.match(/Listening on queue/g)?.length ?? 0;
}

function refused({ log }: Service): number {
  return log.match(/Not reloaded: the service goes on/g)?.length ?? 0;
}

function residentMib(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(Deno.readTextFileSync(`/proc/${pid}/status`))?.[1]) / 1024;
}

/** A plugin of the user's own, whose code names itself in the path. */
function plugin(tag: string): string {
  return `import type { Detail, NotifyContext } from "oss-watcher";
    export class Mine {
      readonly #url: string;
      constructor(url: string) {
        this.#url = url;
      }
      async notify(detail: Detail, _created: boolean, { key, signal }: NotifyContext): Promise<void> {
        const headers = { "idempotency-key": key };
        const response = await fetch(this.#url + "${tag}", { method: "POST", headers, body: JSON.stringify(detail), signal });
        await response.body?.cancel();
        if (!response.ok) throw new Error("no");
      }
    }`;
}

function config({ exchange, target, creation = "compute.instance.create.end" }: {
  readonly exchange: string;
  readonly target: Receiver;
  readonly creation?: string;
}): string {
  const queue = { name: exchange, exchanges: [exchange], type: "classic" };
  return `import { Mine } from "./plugins/mine.ts";
export default {
  events: {
    creation: ["${creation}", "floatingip.update.end"],
    deletion: ["compute.instance.delete.end", "floatingip.update.end"],
  },
  plugins: [new Mine("http://127.0.0.1:${target.port}/")],
  rabbit: ${JSON.stringify({ url: rabbit.url, queue })},
  ledger: { file: "./ledger.db", keepDays: 36500 },
  metrics: false,
  console: false,
};
`;
}
