// A rolling upgrade: processes of another commit and of this one share a ledger, and are replaced one after the other, there
// and back, under load. `deno task test:upgrade [COMMIT]`; without one, the commit before this one.
import { progress } from "../../tools/packages.ts";
import { startPostgres } from "../../tools/postgres/server.ts";
import { startRabbit } from "../../tools/rabbitmq.ts";
import { until } from "../support/until.ts";
import { Cluster, LONG_MS } from "./cluster.ts";

const SERVERS = 100;
const TOP = new URL("../..", import.meta.url).pathname;

async function git(...args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("git", { args: [...args], cwd: TOP }).output();
  if (!success) throw new Error(`git ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout).trim();
}

/** Publishes while something happens, and waits until all is delivered. */
async function under(cluster: Cluster, what: string, act: () => Promise<unknown>): Promise<void> {
  const publishing = cluster.publish(SERVERS);
  await act();
  await publishing;
  await cluster.delivered();
  cluster.assertRight();
  progress(`${what}: right, ${cluster.receiver.doubled} doubled so far`);
}

const commit = await git("rev-parse", Deno.args[0] ?? "HEAD~1");
const dir = await Deno.makeTempDir({ prefix: "oss-watcher-upgrade-" });
await git("worktree", "add", "--detach", dir, commit);
const main = `${dir}/main.ts`;
try {
  await using stack = new AsyncDisposableStack();
  const rabbit = stack.adopt(await startRabbit(), (broker) => broker.stop());
  await using server = await startPostgres();
  await using cluster = await Cluster.open({ rabbit, url: server.url, plugins: ["A", "B"] });
  // Not start(): `processes` of this commit does not read tables of an older one.
  const begin = async (name: string, options: { readonly main?: string } = {}) => {
    const service = cluster.launch(name, options);
    await until(() => /Listening on queue|WAITS/.test(service.log), LONG_MS);
  };
  const end = async (name: string) => {
    const { code } = await cluster.services.get(name)!.end("SIGTERM");
    if (code !== 0) throw new Error(`${name} ended with ${code}\n${cluster.logs}`);
  };
  // Before it has bound its queue, what is published goes nowhere.
  await begin("one", { main });
  await under(cluster, "Two processes of the other commit", () => begin("two", { main }));
  await under(cluster, "One of this commit comes", () => begin("three"));
  await under(cluster, "One of the other commit goes", () => end("one"));
  await under(cluster, "Another of this commit comes, the last of the other goes", async () => {
    await begin("four");
    await end("two");
  });
  await under(cluster, "One of the other commit comes back", () => begin("five", { main }));
  await under(cluster, "Those of this commit go", async () => {
    await end("three");
    await end("four");
  });
  const unseemly = /Uncaught|Unexpected|Cannot record/.exec(cluster.logs);
  if (unseemly !== null) throw new Error(`A log has "${unseemly[0]}"\n${cluster.logs}`);
  progress(`Upgraded from ${commit.slice(0, 9)} and back: nothing lost, nothing out of order`);
} finally {
  await git("worktree", "remove", "--force", dir);
}
