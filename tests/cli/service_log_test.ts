import assert from "node:assert/strict";
import { Service } from "../../tools/service.ts";
import { ProgramDirectory } from "../support/program.ts";
import { until } from "../support/until.ts";

/** Says who it is, hostile as a tenant, and what it must not say. */
function config(log: string): string {
  return `setTimeout(() => Promise.reject(new Error("\\x1b[2Jno luck\\npassword=hush-4711")), 100);
    export default {
      events: { creation: ["instance.create.end"], deletion: [] },
      plugins: [{ name: "Forgetful", notify() {} }],
      rabbit: { url: "amqp://127.0.0.1:1/", queue: { name: "unreachable" } },
      ledger: { file: "./ledger.db" },
      log: ${log},
    };`;
}

Deno.test("log.file beside config.ts gets JSON from log.level on, and stderr nothing", async () => {
  using dir = new ProgramDirectory({ "config.ts": config(`{ file: "logs/oss.log", format: "json", level: "warn" }`) });
  await using service = new Service(dir.path());
  const read = () => Deno.readTextFileSync(dir.path("logs", "oss.log"));
  await until(() => {
    try {
      return read().includes("no luck");
    } catch {
      return false;
    }
  });
  assert.equal((await service.end("SIGTERM")).code, 0);
  const records = read().trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual([...new Set(records.map((record) => Object.keys(record).join()))], ["time,level,part,message"]);
  assert.ok(records.every(({ level }) => level === "warn" || level === "error"));
  const { level, part, message } = records.find((record) => record.message.includes("no luck"))!;
  assert.deepEqual(
    { level, part, message },
    {
      level: "error",
      part: "service",
      message: "A promise that nobody waited for was rejected: \u001b[2Jno luck\npassword=***",
    },
  );
  assert.equal(service.log, "");
});

Deno.test("--debug stands over log.level", async () => {
  using dir = new ProgramDirectory({ "config.ts": config(`{ level: "error" }`) });
  await using service = new Service(dir.path(), ["--debug"]);
  await until(() => service.log.includes("INFO (service) Listen queue unreachable"));
});

Deno.test("an error that ends the service is on stderr and in log.file", async () => {
  const text = config(`{ file: "oss.log" }`).replace(`rabbit: {`, `rabbit: { tls: { caFile: "/nowhere.pem" },`)
    .replace("amqp:", "amqps:");
  using dir = new ProgramDirectory({ "config.ts": text });
  Deno.mkdirSync(dir.path("ledger.db"));
  await using service = new Service(dir.path());
  assert.equal((await service.status).code, 1);
  await service.end("SIGKILL");
  assert.match(service.log, /^Cannot open the ledger [^\n]+\n$/);
  assert.match(
    Deno.readTextFileSync(dir.path("oss.log")),
    /^\S+ \S+ ERROR \(service\) Ended: Cannot open the ledger [^\n]+\n$/,
  );
});

Deno.test("a log.file that cannot be opened ends the service with one clear line", async () => {
  using dir = new ProgramDirectory({ "config.ts": config(`{ file: "config.ts/oss.log" }`) });
  await using service = new Service(dir.path());
  assert.equal((await service.status).code, 1);
  await service.end("SIGKILL");
  assert.match(
    service.log,
    /^Cannot open the log file "[^"]+config\.ts\/oss\.log": [^\n]+\. Set log\.file to [^\n]+\n$/,
  );
});
