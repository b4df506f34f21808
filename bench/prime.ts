/**
 * Priming a new ledger from a cloud of 10,000 servers: time, requests, processor time and memory of
 * the service. The cloud is a stand-in on loopback with records of the recorded shape, so the time
 * of a real cloud comes on top. `deno run -A bench/prime.ts [SERVERS]`
 *
 * @module
 */

// deno-lint-ignore-file no-console -- figures on the terminal are what it is for

import { MadeCloud } from "../tests/support/made_cloud.ts";
import { OpenStackServer } from "../tests/support/openstack_server.ts";
import { ProgramDirectory } from "../tests/support/program.ts";
import { until } from "../tests/support/until.ts";
import { startRabbit } from "../tools/rabbitmq.ts";
import { Service } from "../tools/service.ts";
import { cpuSeconds, residentMib } from "./measured.ts";

const servers = Number(Deno.args[0] ?? 10_000);
const LONG_MS = 30 * 60_000;

const rabbit = await startRabbit();
try {
  await measure();
} finally {
  await rabbit.stop();
}

async function measure(): Promise<void> {
  await using server = new OpenStackServer();
  await MadeCloud.behind(server, { servers, floatingIps: servers / 10, projects: 200 });
  using dir = new ProgramDirectory({ "config.ts": config(server.authUrl) });
  await using service = new Service(dir.path());
  await until(() => service.log.includes("(priming) Reading"), LONG_MS);
  const [begun, cpu, before] = [performance.now(), cpuSeconds(service.pid), residentMib(service.pid)];
  let peak = before;
  await until(() => {
    peak = Math.max(peak, residentMib(service.pid));
    return service.log.includes("(priming) Remembered") && service.log.includes("nothing is sent");
  }, LONG_MS);
  const seconds = (performance.now() - begun) / 1000;
  const requests = Map.groupBy(
    server.requests,
    ({ service, path }) => `${service} ${path.split(/[?]/)[0]!.replace(/\/v3\/(\w+)\/.*/, "/v3/$1/ID")}`,
  );
  const { size } = await Deno.stat(dir.path("ledger.db"));
  console.log(`${servers} servers, ${servers} ports, ${servers / 10} floating IPs, 200 projects`);
  console.log(
    `time              ${seconds.toFixed(1)} s, of which ${
      (cpuSeconds(service.pid) - cpu).toFixed(1)
    } s processor time of the service`,
  );
  console.log(`requests          ${server.requests.length}`);
  for (const [what, all] of requests) console.log(`  ${String(all.length).padStart(5)}  ${what}`);
  console.log(
    `memory            ${before.toFixed(0)} MiB before, ${peak.toFixed(0)} MiB at most, ${
      residentMib(service.pid).toFixed(0)
    } MiB after`,
  );
  console.log(`ledger            ${(size / 1024 / 1024).toFixed(1)} MiB`);
  await service.end("SIGTERM");
}

function config(authUrl: string): string {
  return `export default {
    events: { creation: ["compute.instance.create.end"], deletion: ["compute.instance.delete.end"] },
    plugins: [{ name: "Nobody", notify() {} }],
    rabbit: { url: "${rabbit.url}", queue: { name: "primed" } },
    openstack: ${JSON.stringify({ authUrl, user: "admin", password: "none", project: "admin" })},
    ledger: { file: "./ledger.db" },
  };`;
}
