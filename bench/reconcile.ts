/**
 * A full comparison of memory with a cloud of 10,000 servers, by the service: time, requests,
 * memory, and how long deliveries take beside it and without it. The cloud is a stand-in on
 * loopback that answers after 20 ms. `deno run -A bench/reconcile.ts [SERVERS]`
 *
 * @module
 */

// deno-lint-ignore-file no-console -- figures on the terminal are what it is for

import { MadeCloud } from "../tests/support/made_cloud.ts";
import { OpenStackServer } from "../tests/support/openstack_server.ts";
import { ProgramDirectory } from "../tests/support/program.ts";
import * as told from "../tests/support/stories.ts";
import { until } from "../tests/support/until.ts";
import { CloudPublisher } from "../tools/publisher.ts";
import { startRabbit } from "../tools/rabbitmq.ts";
import { Receiver } from "../tools/receiver.ts";
import { Service } from "../tools/service.ts";
import { cpuSeconds, residentMib } from "./measured.ts";

const servers = Number(Deno.args[0] ?? 10_000);
const LONG_MS = 30 * 60_000;
const EVERY_MS = 10;
/** Servers that were made up so far. */
let made = 0;

const rabbit = await startRabbit();
try {
  await measure();
} finally {
  await rabbit.stop();
}

async function measure(): Promise<void> {
  await using server = new OpenStackServer();
  const cloud = await MadeCloud.behind(server, { servers, floatingIps: servers / 10, projects: 200 });
  cloud.delayMs = 20;
  await using receiver = new Receiver();
  await using publisher = new CloudPublisher(rabbit.url);
  for (const exchange of ["nova", "neutron"]) await publisher.declareExchange(exchange, { durable: true });
  using dir = new ProgramDirectory({ "config.ts": config(server.authUrl, receiver.port) });
  {
    await using service = new Service(dir.path());
    await until(() => service.log.includes("nothing is sent"), LONG_MS);
    await service.end("SIGTERM");
  }
  // A copy of a ledger is compared in full, at once.
  await Deno.copyFile(dir.path("ledger.db"), dir.path("copy.db"));
  await Deno.rename(dir.path("copy.db"), dir.path("ledger.db"));
  await using service = new Service(dir.path());
  await until(() => service.log.includes("(reconcile) Comparing"), LONG_MS);
  const [cpu, before] = [cpuSeconds(service.pid), residentMib(service.pid)];
  let peak = before;
  const isDone = () => {
    peak = Math.max(peak, residentMib(service.pid));
    return /\(reconcile\) .*after \d+ s/.test(service.log);
  };
  const began = performance.now();
  server.requests.length = 0;
  const beside = await latencies(publisher, receiver, isDone);
  const seconds = (performance.now() - began) / 1000;
  const spent = cpuSeconds(service.pid) - cpu;
  const requests = server.requests.length;
  const rounds = Math.max(beside.length / 2, 200);
  let count = 0;
  const alone = await latencies(publisher, receiver, () => ++count > rounds);
  console.log(`${servers} servers, ${servers} ports, ${servers / 10} floating IPs, 20 ms an answer`);
  console.log(`time              ${seconds.toFixed(1)} s, ${spent.toFixed(1)} s processor time of the service`);
  console.log(`requests          ${requests}`);
  console.log(`memory            ${before.toFixed(0)} MiB before, ${peak.toFixed(0)} MiB at most`);
  console.log(
    `deliveries beside p50 ${quantile(beside, 0.5)} ms, p99 ${quantile(beside, 0.99)} ms of ${beside.length}`,
  );
  console.log(`alone             p50 ${quantile(alone, 0.5)} ms, p99 ${quantile(alone, 0.99)} ms of ${alone.length}`);
  console.log(service.log.split("\n").filter((line) => line.includes("(reconcile)")).join("\n"));
  await service.end("SIGTERM");
}

/** Servers that come and go, one after the other: how long each event took to arrive. */
async function latencies(publisher: CloudPublisher, receiver: Receiver, isDone: () => boolean): Promise<number[]> {
  const [sent, took, from] = [new Map<string, number>(), [] as number[], receiver.requests.length];
  let seen = from;
  const look = () => {
    for (; seen < receiver.requests.length; seen++) {
      const at = sent.get(receiver.requests[seen]!.key);
      if (at !== undefined) took.push(receiver.requests[seen]!.at - at);
    }
  };
  while (!isDone()) {
    const id = `made-${++made}`;
    for (const [message, key] of [[told.came(id), "creation"], [told.went(id), "deletion"]] as const) {
      const { messageId, eventType, payload, time } = message;
      const body = JSON.stringify({ message_id: messageId, event_type: eventType, timestamp: time, payload });
      sent.set(`server/${id}/${key}`, Date.now());
      await publisher.publish({ exchange: "nova", routingKey: "notifications.info", body });
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
      look();
    }
  }
  await until(() => {
    look();
    return took.length === sent.size;
  }, 60_000).catch(() => console.log(`${sent.size - took.length} did not come`));
  return took.toSorted((one, other) => one - other);
}

function quantile(sorted: readonly number[], share: number): string {
  return (sorted[Math.floor(sorted.length * share)] ?? NaN).toFixed(1);
}

function config(authUrl: string, port: number): string {
  return `import { RestNotify } from "oss-watcher/plugins";
  export default {
    events: { creation: ["compute.instance.create.end"], deletion: ["compute.instance.delete.end"] },
    plugins: [new RestNotify({ host: "http://127.0.0.1", port: ${port}, urlCreation: "/new", urlDeletion: "/old" })],
    rabbit: { url: "${rabbit.url}", queue: { name: "compared" } },
    openstack: ${
    JSON.stringify({ authUrl, user: "admin", password: "none", project: "admin", reconcile: { everyHours: false } })
  },
    ledger: { file: "./ledger.db", keepDays: 36500 },
    metrics: { port: 0 },
  };`;
}
