import assert from "node:assert/strict";
import { Connection } from "rabbitmq-client";
import { CloudPublisher } from "../../tools/publisher.ts";
import { type PrivateRabbit, startRabbit } from "../../tools/rabbitmq.ts";
import { Service } from "../../tools/service.ts";
import { EXPECTED_V1 } from "../facts/expected_events.ts";
import { readCapture } from "../support/captures.ts";
import { OpenStackServer } from "../support/openstack_server.ts";
import { ProgramDirectory, runProgram } from "../support/program.ts";
import { until } from "../support/until.ts";

const LONG_MS = 120_000;
/** The examples of the document, which are read verbatim but for where the servers of this test are. */
const DOCUMENT = await Deno.readTextFile(new URL("../data/first_generation/oss.conf", import.meta.url));

/** The document's plugin, in TypeScript. */
const YOUR_PLUGIN = `import type { Detail, NotifyContext } from "oss-watcher";

export class YourPlugin {
  notify(detail: Detail, created: boolean, { log }: NotifyContext): void {
    log.info("Handled by YourPlugin.");
    log.info(\`\${created} \${JSON.stringify(detail)}\`);
  }
}
`;

/** As the services sent it in 2015: no envelope, to a topic of its own. Of today, so that nothing takes it for an old queue. */
const RUN = readCapture("v1-no-envelope.jsonl")
  .filter(({ routing_key }) => routing_key === "notifications.info")
  .map(({ body }) => body.replaceAll("2026-11-21", new Date().toISOString().slice(0, 10)));

let rabbit: PrivateRabbit;

Deno.test.beforeAll(async () => {
  rabbit = await startRabbit();
  await rabbit.ctl("add_user", "user", "passwprd");
  await rabbit.ctl("set_permissions", "user", "", "", "^monitoring\\.info$");
});

Deno.test.afterAll(() => rabbit.stop());

Deno.test("service runs the configuration of oss_framework's document, and does what that did", async () => {
  await using connection = await queue("monitoring.info");
  await using cloud = new OpenStackServer();
  await using orchestrator = new Orchestrator();
  using dir = new ProgramDirectory({
    "oss.conf": adapted({ rest: orchestrator.port, keystone: cloud.authUrl }),
    "plugins/new_plugin.ts": YOUR_PLUGIN,
  });
  const log = () => textOf(dir.path("var/logs/oss.log"));

  await using service = new Service(dir.path(), ["--config-file=oss.conf"], { STATE_DIRECTORY: dir.path("state") });
  try {
    await until(() => log().includes("Listening on queue"), LONG_MS);
    for (const body of RUN) await connection.publisher.publish({ exchange: "", routingKey: "monitoring.info", body });
    await until(() => EXPECTED_V1.every(({ key }) => orchestrator.keys().includes(key)), LONG_MS);
  } catch (error) {
    throw new Error(`${service.log}\n${log()}`, { cause: error });
  }
  assert.equal((await service.end("SIGTERM")).code, 0);

  const started = log().split("\n").filter((line) => /\((?:service|base_connection)\)/.test(line)).slice(0, 6);
  assert.deepEqual(started.map((line) => line.replace(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d /, "")), [
    "INFO (service) Listen queue monitoring.info",
    "INFO (service) Handled events of creation: compute.instance.create.end, floatingip.update.end",
    "INFO (service) Handled events of deletion: compute.instance.delete.end, floatingip.update.end",
    "INFO (service) Plugin `oss_framework.plugins.rest_plugin.RESTNotify`is loaded.",
    "INFO (service) Plugin `oss_framework.plugins.new_plugin.YourPlugin`is loaded.",
    `INFO (base_connection) Connecting to 127.0.0.1:${rabbit.port}`,
  ]);
  assert.match(log(), /WARNING \(config\) oss\.conf:6: use_syslog of \[DEFAULT\]: is not read: /);
  for (const { key, server, ip } of EXPECTED_V1) {
    const { path, type, authorization, detail } = orchestrator.requests.find((request) => request.key === key)!;
    assert.deepEqual({ path, type, authorization }, {
      path: key.endsWith("/creation") ? "/some_url" : "/some_url2",
      type: "application/xml",
      authorization: `Basic ${btoa("user:password")}`,
    });
    assert.deepEqual(
      [detail.ID, detail.IP, detail.IPType, detail.Datacenter, detail.SecurityDomain],
      [server, ip, "Public", "KDC", "DQT"],
    );
    assert.deepEqual(Object.keys(detail).slice(0, 15), DOCUMENTED_KEYS);
  }
  assert.equal(log().match(/INFO \(YourPlugin\) Handled by YourPlugin\./g)?.length, EXPECTED_V1.length);
  assert.ok(!/passwprd/.test(log() + service.log));
});

Deno.test("service takes a new oss.conf and a new plugin on SIGHUP, and no bad one", async () => {
  await using _queue = await queue("reload.info");
  const conf = (events: string) =>
    `[DEFAULT]\nenabled_plugins = new_plugin.YourPlugin\nevents_creation = ${events}\n` +
    `[rabbit]\nhost = 127.0.0.1\nport = ${rabbit.port}\nwatch_queue = reload.info\n`;
  using dir = new ProgramDirectory({ "oss.conf": conf("floatingip.update.end"), "plugins/new_plugin.ts": YOUR_PLUGIN });
  await using service = new Service(dir.path(), ["--config-file", "oss.conf"], { STATE_DIRECTORY: dir.path("state") });
  await until(() => service.log.includes("Listening on queue"), LONG_MS);

  dir.write("oss.conf", conf("floatingip.updated.end"));
  Deno.kill(service.pid, "SIGHUP");
  await until(() => service.log.includes("Not reloaded: "), LONG_MS);
  assert.match(
    service.log,
    /ERROR \(service\) {3}oss\.conf:3: events_creation of \[DEFAULT\]: "floatingip\.updated\.end" is not/,
  );

  dir.write("oss.conf", conf("instance.create.end"));
  dir.write("plugins/new_plugin.ts", `${YOUR_PLUGIN}console.error("the new plugin");\n`);
  Deno.kill(service.pid, "SIGHUP");
  await until(() => service.log.match(/Listening on queue/g)?.length === 2, LONG_MS);
  assert.match(service.log, /the new plugin[^]*Handled events of creation: instance\.create\.end\n/);
  assert.equal((await service.end("SIGTERM")).code, 0);
});

Deno.test("service says why it cannot make the directory of log_file, in one line", async () => {
  using dir = new ProgramDirectory({ "oss.conf": DOCUMENT.replace("/var/logs", "file"), "file": "" });
  await using service = new Service(dir.path(), ["--config-file", "oss.conf"], { STATE_DIRECTORY: dir.path("state") });
  assert.equal((await service.status).code, 1);
  await service.end("SIGKILL");
  assert.match(service.log, /^Cannot open the log file "\/[^"]+\/file\/oss\.log": [^\n]+\n$/);
});

Deno.test("service runs what migrate makes of a nova.conf, with a vhost and a password that its URL encodes", async () => {
  const password = "p@ss/%w,4711";
  await rabbit.ctl("add_vhost", "/nova");
  await rabbit.ctl("add_user", "nova:1", password);
  await rabbit.ctl("set_permissions", "-p", "/nova", "nova:1", ".*", ".*", ".*");
  const account = `nova%3A1:${encodeURIComponent(password)}`;
  using dir = new ProgramDirectory({
    "nova.conf": `[DEFAULT]
transport_url = rabbit://${account}@127.0.0.1:1,${account}@127.0.0.1:${rabbit.port}/%2Fnova
[oslo_messaging_notifications]
driver = messagingv2
`,
  });
  const migrated = await runProgram({ dir: dir.path(), args: ["migrate", "nova.conf"] });
  assert.equal(migrated.code, 0, migrated.err);
  assert.ok(!(migrated.out + migrated.err).includes("4711"));
  dir.write("config.ts", migrated.out);
  const variables = [...migrated.err.matchAll(/^To set: (\S+), .* \(as (\S+)\)$/gm)].map(([, name, form]) =>
    [name, form?.replace("user:password", account).replace("vhost", "%2Fnova")] as const
  );
  assert.equal(variables.length, 2);

  const env = { ...Object.fromEntries(variables), STATE_DIRECTORY: dir.path("state") };
  await using service = new Service(dir.path(), [], env);
  await until(() => service.log.includes(`Listening on queue "oss-watcher" at 127.0.0.1:${rabbit.port}`), LONG_MS);
  assert.equal((await service.end("SIGTERM")).code, 0);
  assert.ok(!service.log.includes("4711"));
});

/** The keys of the document's example, in its order. */
const DOCUMENTED_KEYS = [
  ...["FQDN", "IP", "IPType", "OS", "Storage", "Ram", "CPU", "Datacenter", "SecurityDomain", "Owner"],
  ...["AdditionalUsers", "ApplicationName", "EnvironmentCI", "Description", "CreationDate"],
];

function adapted({ rest, keystone }: { readonly rest: number; readonly keystone: string }): string {
  return DOCUMENT
    .replace("RESTNotify\n", "RESTNotify,new_plugin.YourPlugin\n")
    .replace("/var/logs", "var/logs")
    .replace("\n\n", "\nuse_syslog=false\n\n")
    .replace("host=localhost\nport=5672", `host=127.0.0.1\nport=${rabbit.port}`)
    .replace("host=https://some_host\nport=80", `host=http://127.0.0.1\nport=${rest}`)
    .replace("http://localhost:5000/v2.0", keystone.replace("/v3", "/v2.0"));
}

/** Of a file that may not be there yet. */
function textOf(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}

/** The queue that a service makes for its topic. */
async function queue(name: string): Promise<AsyncDisposable & { readonly publisher: CloudPublisher }> {
  const connection = new Connection(rabbit.url);
  await connection.queueDeclare({ queue: name, durable: false });
  const publisher = new CloudPublisher(rabbit.url);
  return {
    publisher,
    async [Symbol.asyncDispose]() {
      await publisher[Symbol.asyncDispose]();
      await connection.close();
    },
  };
}

interface Started {
  readonly key: string;
  readonly path: string;
  readonly type: string | null;
  readonly authorization: string | null;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** What the first generation's service posted to: it starts a workflow with the parameter `nodeDetails`. */
class Orchestrator implements AsyncDisposable {
  readonly requests: Started[] = [];
  readonly #server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const [, text = ""] =
      /<parameter name="nodeDetails" type="string"><string>([^<]*)<\/string>/.exec(await request.text()) ?? [];
    this.requests.push({
      key: request.headers.get("idempotency-key") ?? "",
      path: new URL(request.url).pathname,
      type: request.headers.get("content-type"),
      authorization: request.headers.get("authorization"),
      detail: JSON.parse(unescaped(text)),
    });
    return new Response(null, { status: 202 });
  });

  get port(): number {
    return this.#server.addr.port;
  }

  keys(): readonly string[] {
    return this.requests.map(({ key }) => key);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

function unescaped(xml: string): string {
  const named: Readonly<Record<string, string>> = {
    "&lt;": "<",
    "&gt;": ">",
    "&quot;": '"',
    "&apos;": "'",
    "&amp;": "&",
  };
  return xml.replace(/&\w+;/g, (entity) => named[entity] ?? entity);
}
