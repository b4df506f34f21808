// Three processes on one PostgreSQL: who does what, who stopped, who was killed, and whose configuration differs.
import assert from "node:assert/strict";
import type { ClusterAnswer } from "../../../src/console/api.ts";
import { startRabbit } from "../../../tools/rabbitmq.ts";
import { temporaryDatabase } from "../../support/postgres_server.ts";
import { until } from "../../support/until.ts";
import { LONG_MS, RunningConsole, type Session } from "../consoles.ts";
import { assertAccessible } from "./accessibility.ts";
import { Browser } from "./browser.ts";

const NAMES = ["controller-1", "controller-2", "controller-3"];

/** The process that delivers. */
async function deliverer(session: Session): Promise<string | undefined> {
  const { processes } = await session.get<ClusterAnswer>("cluster");
  const has = processes?.processes.filter(({ state, leases }) =>
    state === "running" && leases.some(({ name }) => name === "plugin EventLog")
  );
  return has?.[0]?.name;
}

Deno.test("the page shows each process, who takes over from one that was killed, and who stopped in order", async () => {
  await using rabbit = await startRabbit();
  await using database = await temporaryDatabase();
  const { url, schema } = database;
  await using stack = new AsyncDisposableStack();
  const consoles = new Map<string, RunningConsole>();
  for (const processName of NAMES) {
    const running = await RunningConsole.start({
      rabbit: JSON.stringify({ url: rabbit.url, queue: { name: "console-cluster", type: "classic" } }),
      ledger: JSON.stringify({ postgres: { url, schema, processName, leaseSeconds: 2 } }),
      ...(processName === "controller-3"
        ? { plugins: `new EventLog({ file: "events.log" }), { name: "Extra", notify() {} }` }
        : {}),
    });
    consoles.set(processName, stack.use(running));
  }
  const first = await until(() => consoles.get("controller-1")!.signIn().then(deliverer), LONG_MS);
  const [watcher = "", last = ""] = NAMES.filter((name) => name !== first);
  await using browser = await Browser.open();
  await using page = await browser.signIn(consoles.get(watcher)!);
  await page.open("#/cluster", "Cluster");
  const row = (name: string) => page.page.getByRole("row").filter({ hasText: name });
  for (const name of NAMES) await row(name).getByText("running", { exact: true }).waitFor();
  await row(first).getByText("plugin EventLog").waitFor();
  await page.page.getByText("The configurations of the processes differ:").waitFor();
  await page.page.getByText(/Extra/).first().waitFor();
  for (const width of [360, 1280, 3840]) {
    await page.page.setViewportSize({ width, height: 800 });
    assert.ok(await page.overflow() <= 0, `${width} px`);
    await assertAccessible(page, `the cluster, ${width} px`);
  }

  await consoles.get(first)!.service.end("SIGKILL");
  await row(first).getByText("silent").waitFor();
  await page.page.getByRole("row").filter({ hasNotText: first }).getByText("plugin EventLog").waitFor();

  await consoles.get(last)!.service.end("SIGTERM");
  await row(last).getByText("stopped").waitFor();
  await row(watcher).getByText("plugin EventLog").waitFor();
  assert.equal(await deliverer(await consoles.get(watcher)!.signIn()), watcher);
  page.assertClean();
});
