import { readCapture } from "./tests/support/captures.ts";
import { startRabbit } from "./tools/rabbitmq.ts";
import { CloudPublisher } from "./tools/publisher.ts";
import { Receiver } from "./tools/receiver.ts";
import { Service } from "./tools/service.ts";
import { until } from "./tests/support/until.ts";
const N = Number(Deno.args[0] ?? 10000);
const line = readCapture("unversioned.jsonl").find((l) => l.body.includes("compute.instance.create.end"))!;
const inner = JSON.parse(line.body)["oslo.message"];
const id0 = JSON.parse(inner).payload.instance_id, mid0 = JSON.parse(inner).message_id, ip0 = JSON.parse(inner).payload.fixed_ips[0].address, host0 = JSON.parse(inner).payload.hostname;
await using rabbit = await startRabbit();
await using pub = new CloudPublisher(rabbit.url);
await pub.declareExchange("nova", { durable: true }); await pub.declareExchange("neutron", { durable: true });
await using receiver = new Receiver();
const dir = await Deno.makeTempDir();
await Deno.writeTextFile(dir + "/config.ts", `import { RestNotify } from "oss-watcher/plugins";
export default { events: { creation: ["compute.instance.create.end"], deletion: ["compute.instance.delete.end"] },
 plugins: [new RestNotify({ host: "http://127.0.0.1", port: ${receiver.port}, urlCreation: "/c", urlDeletion: "/d" })],
 rabbit: { url: "${rabbit.url}", queue: { name: "q", type: "classic" }, ${Deno.args[2] ? `prefetch: ${Deno.args[2]}` : ""} }, retry: { concurrency: ${Deno.args[1] ?? 8} }, ledger: { file: "./l.db", keepDays: 36500 } };`);
{ await using s = new Service(dir); await until(() => s.log.includes("Listening"), 30000); await s.end("SIGTERM"); }
let sent = 0; const t00 = performance.now();
await Promise.all(Array.from({ length: 200 }, async () => { while (sent < N) { const i = sent++; const u = crypto.randomUUID();
  const body = JSON.stringify({ "oslo.version": "2.0", "oslo.message": inner.replaceAll(id0, u).replaceAll(mid0, crypto.randomUUID()).replaceAll(ip0, `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`).replaceAll(host0, `h${i}`) });
  await pub.publish({ exchange: "nova", routingKey: "notifications.info", body }); } }));
console.log("published", N, ((performance.now() - t00) / 1000).toFixed(1), "s");
const t0 = performance.now();
await using s = new Service(dir, Deno.env.get("PROF") ? [] : []);
const cpu = () => { try { const f = Deno.readTextFileSync(`/proc/${s.pid}/stat`).split(" "); return (Number(f[13]) + Number(f[14])) * 10; } catch { return 0; } };
await until(() => receiver.requests.length > 0, 60000); const t1 = performance.now(); const c1 = cpu(); const n1 = receiver.requests.length;
const iv = setInterval(() => console.log("  ", receiver.requests.length, cpu()), 1000); await until(() => receiver.requests.length >= N, 120000); clearInterval(iv);
const dt = (performance.now() - t1) / 1000, c = cpu() - c1;
console.log(`events/s ${((N - n1) / dt).toFixed(0)}  cpu/event ${(c * 1000 / (N - n1)).toFixed(0)} µs  total ${((performance.now() - t0) / 1000).toFixed(1)}s rss`, Deno.readTextFileSync(`/proc/${s.pid}/status`).match(/VmHWM.*|VmRSS.*/g));
await s.end("SIGTERM"); await Deno.remove(dir, { recursive: true });
Deno.exit(0);
