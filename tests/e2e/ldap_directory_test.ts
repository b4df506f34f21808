import assert from "node:assert/strict";
import { CloudPublisher } from "../../tools/publisher.ts";
import { startRabbit } from "../../tools/rabbitmq.ts";
import type { Service } from "../../tools/service.ts";
import { EXPECTED, type ExpectedEvent } from "../facts/expected_events.ts";
import { mergeByTime, readCapture } from "../support/captures.ts";
import { startDirsrv } from "../support/dirsrv.ts";
import { type LdapServer, SERVERS, WATCHER } from "../support/ldap_server.ts";
import { ProgramDirectory } from "../support/program.ts";
import { startSlapd } from "../support/slapd.ts";
import { until } from "../support/until.ts";
import { TestPki } from "../wire/pki.ts";
import { listening, LONG_MS } from "./listening.ts";

/** The part of the recorded run that events come from, and little else. */
const RUN = mergeByTime(readCapture("unversioned.jsonl"), readCapture("versioned.jsonl")).filter(({ body }) =>
  /(instance\.(create|delete)|floatingip\.\w+|port\.(update|delete))\.end/.test(body)
);
/** From this step on, what is left is deleted. */
const LAST_STEP = 119;
const FIRST_TO_GO = EXPECTED.find(({ step }) => step > LAST_STEP)?.server ?? "";

/** What a directory shall hold, or holds: the floating IPs of each server, by its UUID. */
type Held = Readonly<Record<string, readonly string[]>>;

Deno.test("service ends with the right entries in directories that were stopped and started again meanwhile", async () => {
  await using pki = await TestPki.make();
  const { certFile: cert, keyFile: key } = await pki.issue("localhost");
  const tls = { ca: pki.caFile, cert, key };
  await using slapd = await startSlapd({ tls });
  await using dirsrv = await startDirsrv({ tls });
  await using rabbit = await startRabbit();
  await using publisher = new CloudPublisher(rabbit.url);
  await publisher.declareExchange("cloud", { durable: true });
  const { certFile, keyFile } = await pki.issue("watcher");
  using dir = directory(rabbit.url, {
    Slapd: { url: slapd.url, startTls: true, caFile: pki.caFile, ...WATCHER },
    Dirsrv: { url: dirsrv.tlsUrl, sasl: "EXTERNAL", caFile: pki.caFile, certFile, keyFile, preset: "device" },
  });
  await using service = await listening(dir);
  const directories: readonly LdapServer[] = [slapd, dirsrv];
  const publish = async (lines: typeof RUN) => {
    for (const { routing_key: routingKey, body } of lines) {
      await publisher.publish({ exchange: "cloud", routingKey, body });
    }
  };

  const end = RUN.findIndex(({ body }) => /instance\.delete\.end/.test(body) && body.includes(FIRST_TO_GO));
  const middle = Math.floor(end / 2);
  await publish(RUN.slice(0, middle));
  for (const server of directories) await until(async () => Object.keys(await heldBy(server)).length > 0, LONG_MS);
  const stopping = directories.map((server) => server.stop());
  await publish(RUN.slice(middle, end));
  await Promise.all(stopping);
  for (const name of ["Slapd", "Dirsrv"]) {
    await until(
      () => new RegExp(`\\(${name}\\) Attempt \\d+ of \\S+ failed \\(connection\\)`).test(service.log),
      LONG_MS,
    );
  }
  await Promise.all(directories.map((server) => server.start()));

  const expected = heldAfter(EXPECTED.filter(({ step }) => step <= LAST_STEP));
  assert.ok(Object.keys(expected).length > 4 && Object.values(expected).flat().length > 0);
  for (const server of directories) await becomes(server, { expected, service });

  const restarting = directories.map((server) => server.stop().then(() => server.start()));
  await publish(RUN.slice(end));
  await Promise.all(restarting);
  for (const server of directories) await becomes(server, { expected: {}, service });
  assert.equal((await service.end("SIGTERM")).code, 0);
  assert.ok(!service.log.includes(WATCHER.password) && !/ ERROR /.test(service.log), service.log);
});

/** A directory with a configuration, where the ledger will be, too. */
function directory(
  url: string,
  plugins: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
): ProgramDirectory {
  const made = Object.entries(plugins).map(([name, options]) =>
    `new LdapDirectory(${JSON.stringify({ name, baseDn: SERVERS, ...options })})`
  );
  return new ProgramDirectory({
    "config.ts": `import { LdapDirectory } from "oss-watcher/plugins";
      export default {
        events: {
          creation: ["compute.instance.create.end", "floatingip.update.end"],
          deletion: ["compute.instance.delete.end", "floatingip.update.end"],
        },
        plugins: [${made.join(", ")}],
        rabbit: ${JSON.stringify({ url, queue: { name: "oss-watcher", exchanges: ["cloud"], type: "classic" } })},
        retry: { firstDelaySeconds: 0.1, maxDelaySeconds: 0.5 },
        // The recording may be older than what is usually believed of a queue.
        ledger: { file: "./ledger.db", keepDays: 36500 },
      };`,
  });
}

/** An entry for each server that came and has not gone, with the floating IPs that it has. */
function heldAfter(events: readonly ExpectedEvent[]): Held {
  const held = new Map<string, Set<string>>();
  const floating = new Map<string, string>();
  for (const { key, server, ip } of events) {
    const created = key.endsWith("/creation");
    if (key.startsWith("floatingip/")) created ? floating.set(ip!, server!) : floating.delete(ip!);
    else created ? held.set(server!, new Set()) : held.delete(server!);
  }
  for (const [address, server] of floating) held.get(server)?.add(address);
  return Object.fromEntries([...held].map(([server, addresses]) => [server, [...addresses].sort()]));
}

async function heldBy(server: LdapServer): Promise<Held> {
  const entries = Object.values(await server.entries(SERVERS, "(description=oss-watcher)"));
  return Object.fromEntries(entries.map(({ serialnumber, description = [] }) => {
    const floating = description.filter((value) => value.startsWith("floating ")).map((value) => value.slice(9));
    return [serialnumber?.[0], floating.sort()];
  }));
}

async function becomes(
  server: LdapServer,
  { expected, service }: { readonly expected: Held; readonly service: Service },
): Promise<void> {
  const wanted = JSON.stringify(Object.entries(expected).sort());
  await until(async () => JSON.stringify(Object.entries(await heldBy(server)).sort()) === wanted, LONG_MS)
    .catch(async () => assert.deepEqual(await heldBy(server), expected, `${server.name}\n${service.log}`));
}
