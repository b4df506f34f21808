import assert from "node:assert/strict";
import { reportToSystemd, Systemd } from "../../src/observe/systemd.ts";
import { KeptLog } from "../support/loggers.ts";
import { NotifySocket } from "../support/notify_socket.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";
import { until } from "../support/until.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

const PID = 4711;

/** A service that reports, its health in the test's hands. */
async function reporting(env: Readonly<Record<string, string>> = {}) {
  const dir = new TemporaryDirectory();
  const socket = await NotifySocket.open(dir.path("notify"));
  const log = new KeptLog();
  const clock = new VirtualClock();
  const systemd = new Systemd({ NOTIFY_SOCKET: socket.address, ...env }, { pid: PID, log });
  const state = { livenessProblems: [] as string[], readinessProblems: ["source 0: not connected"] };
  const health = { livenessProblems: () => state.livenessProblems, readinessProblems: () => state.readinessProblems };
  const stop = new AbortController();
  const reported = reportToSystemd({ systemd, health, clock }, stop.signal);
  const end = async () => {
    stop.abort();
    await reported;
  };
  const close = async () => {
    await end();
    systemd[Symbol.dispose]();
    await socket[Symbol.asyncDispose]();
    dir[Symbol.dispose]();
  };
  /** Lets time pass in steps that real datagrams can follow. */
  const advance = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 250) {
      await clock.advance(250);
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  };
  /** Datagrams come in order: with this one all before it are there. */
  const mark = async (text: string) => {
    state.readinessProblems = [text];
    await advance(2_000);
    await until(() => socket.texts.some((one) => one.includes(`STATUS=${text}\n`)));
  };
  return { socket, state, advance, mark, log, [Symbol.asyncDispose]: close };
}

Deno.test("reportToSystemd() says that it is ready once it consumes, and how it is", async () => {
  await using it = await reporting();
  await until(() => it.socket.texts.length === 1);
  it.state.readinessProblems = [];
  await it.advance(2_000);
  await until(() => it.socket.texts.length === 2);
  assert.deepEqual(it.socket.texts, [
    "STATUS=source 0: not connected\n",
    "READY=1\nSTATUS=Consuming\n",
  ]);
  assert.deepEqual(it.log.lines, []);
});

Deno.test("reportToSystemd() lets nobody wait for a RabbitMQ that is not there", async () => {
  await using it = await reporting();
  await it.advance(11_000);
  await until(() => it.socket.texts.length === 2);
  assert.equal(it.socket.texts[1], "READY=1\nSTATUS=source 0: not connected\n");
});

Deno.test("reportToSystemd() gives signs of life twice as often as asked, as long as it is alive", async () => {
  await using it = await reporting({ WATCHDOG_USEC: "1000000", WATCHDOG_PID: String(PID) });
  const beats = () => it.socket.texts.filter((text) => text === "WATCHDOG=1\n").length;
  await it.advance(5_000);
  await until(() => beats() >= 10);
  it.state.livenessProblems = ["Cmdb has not moved for a minute"];
  await it.mark("ill");
  const before = beats();
  await it.advance(5_000);
  await it.mark("still ill");
  assert.equal(beats(), before);
});

Deno.test("reportToSystemd() gives no signs of life for another process", async () => {
  await using it = await reporting({ WATCHDOG_USEC: "1000000", WATCHDOG_PID: "1" });
  await it.advance(5_000);
  await it.mark("here");
  assert.ok(!it.socket.texts.includes("WATCHDOG=1\n"));
});

Deno.test("Systemd reaches a socket of the abstract namespace", async () => {
  await using socket = await NotifySocket.open(`@oss-watcher-test-${crypto.randomUUID()}`);
  const log = new KeptLog();
  using systemd = new Systemd({ NOTIFY_SOCKET: socket.address }, { pid: PID, log });
  await systemd.tell({ READY: "1" });
  await until(() => socket.texts.length === 1);
  assert.deepEqual(socket.received, [{ pid: Deno.pid, text: "READY=1\n" }]);
});

Deno.test("Systemd says nothing without a socket, and only logs when nobody reads", async () => {
  const log = new KeptLog();
  using silent = new Systemd({}, { pid: PID, log });
  await silent.tell({ READY: "1" });
  assert.ok(!silent.listens);
  assert.deepEqual(log.lines, []);
  using lost = new Systemd({ NOTIFY_SOCKET: "/nowhere/notify" }, { pid: PID, log });
  await lost.tell({ READY: "1" });
  assert.match(log.lines[0]!, /^warn Cannot tell systemd READY: /);
});
