import assert from "node:assert/strict";
import { startPostgres } from "../../tools/postgres/server.ts";
import { CloudPublisher } from "../../tools/publisher.ts";
import { startRabbit } from "../../tools/rabbitmq.ts";
import { until } from "../support/until.ts";
import { isShown, Shell, type StartedProgram, stepsOf } from "./transcript.ts";

const MARKDOWN = await Deno.readTextFile(new URL("../../docs/CLUSTER.md", import.meta.url));
const SAMPLE = new URL("../../samples/compute.instance.create.end.json", import.meta.url);
/** Long enough for a machine that is busy with much else. */
const LONG_MS = 120_000;

Deno.test("docs/CLUSTER.md has at most 150 lines", () => {
  assert.ok(MARKDOWN.trimEnd().split("\n").length <= 150);
});

Deno.test("docs/CLUSTER.md says what happens when a reader follows it with three processes", async () => {
  await using server = await startPostgres({ fast: true });
  await using rabbit = await startRabbit();
  const [, sql = ""] = /^```sql\n([^]*?)^```$/m.exec(MARKDOWN) ?? [];
  for (const statement of sql.replace("…", "reader-password").split("\n").filter((line) => line !== "")) {
    await server.psql(statement, { admin: true });
  }
  const env = {
    RABBIT_URL: rabbit.url,
    LEDGER_URL: `postgres://oss_watcher:reader-password@127.0.0.1:${server.port}/oss_watcher`,
  };
  await using publisher = new CloudPublisher(rabbit.url);
  await publisher.declareExchange("nova", { durable: true });
  await using shell = await Shell.open();
  const exported = Object.entries(env).map(([name, value]) => `export ${name}='${value}'; `).join("");
  const processes: StartedProgram[] = [];
  const start = async () => {
    const started = shell.start("oss-watcher", env);
    processes.push(started);
    await until(() => started.output.includes("Listening on queue"), LONG_MS)
      .catch(() => assert.fail(started.output));
    return started;
  };
  const stop = async () => {
    for (const started of processes.splice(0)) assert.equal((await started.interrupt()).code, 0, started.output);
  };
  try {
    for (const step of stepsOf(MARKDOWN)) {
      if ("file" in step) await shell.write(step.file, step.content);
      if (!("command" in step)) continue;
      if (step.command === "oss-watcher processes") {
        for (const _ of ["controller-1", "controller-2", "controller-3"]) await start();
        const body = await Deno.readTextFile(SAMPLE);
        await publisher.publish({ exchange: "nova", routingKey: "notifications.info", body });
        await until(
          () => processes.some(({ output }) => output.includes('"event":"compute.instance.create.end"')),
          LONG_MS,
        )
          .catch(() => assert.fail(processes.map(({ output }) => output).join("\n---\n")));
      }
      if (step.command.includes("psql")) await stop();
      const shown = step.shown === "" ? "" : `${step.shown}…`;
      let output = "";
      // Leases are taken within a second.
      await until(async () => isShown(output = await shell.run(exported + step.command), shown), 10_000).catch(() =>
        assert.fail(`line ${step.line}: $ ${step.command}\n--- shown\n${step.shown}\n--- output\n${output}`)
      );
    }
    const restored = await start();
    await until(() => restored.output.includes("The ledger was restored from a backup"), LONG_MS);
    assert.match(await shell.run(`${exported}oss-watcher events`), / done +1 +EventLog /);
    await stop();
  } finally {
    for (const started of processes) await started[Symbol.asyncDispose]();
  }
});
