import assert from "node:assert/strict";
import project from "../../deno.json" with { type: "json" };
import { CloudPublisher } from "../../tools/publisher.ts";
import { startRabbit } from "../../tools/rabbitmq.ts";
import { readCapture } from "../support/captures.ts";
import { freePorts } from "../../tools/free_ports.ts";
import { until } from "../support/until.ts";
import { TestPki } from "../wire/pki.ts";
import { TestServer } from "../wire/server.ts";
import { Released } from "./released.ts";

const LONG_MS = 120_000;
const IS_LINUX = Deno.build.os === "linux";
const SAMPLE = "samples/compute.instance.create.end.json";

Deno.test("the released program says its version and helps", async () => {
  await using program = await Released.open();
  assert.deepEqual(await program.run(["--version"]), { code: 0, out: `${project.version}\n`, err: "" });
  const help = await program.run(["--help"]);
  assert.equal(help.code, 0);
  assert.match(help.out, /^Usage: oss-watcher /);
  for (const shell of ["bash", "zsh", "fish"]) {
    const { code, out } = await program.run(["completion", shell]);
    assert.equal(code, 0);
    assert.match(out, new RegExp(`oss-watcher complete ${shell} `));
  }
});

Deno.test("the released program writes a directory that works at once, and has every sample in it", async () => {
  await using program = await Released.open();
  assert.equal((await program.run(["init", "watcher"])).code, 0);
  const samples = [...Deno.readDirSync(program.path("watcher", "samples"))].map(({ name }) => name)
    .filter((name) => /\.jsonl?$/.test(name));
  assert.equal(samples.length, 10);
  for (const name of samples) {
    const { code, out, err } = await program.run(["--dry-run", `samples/${name}`], { dir: "watcher" });
    assert.ok(code === 0 || code === 3, `${name}: ${code}\n${out}${err}`);
    assert.equal(err, "");
  }
  const life = await program.run(["--dry-run", "samples/life.jsonl"], { dir: "watcher" });
  assert.match(life.out, /hello .*goodbye /s);
  assert.equal((await program.run(["new", "plugin", "ticket"], { dir: "watcher" })).code, 0);
  assert.ok(Deno.statSync(program.path("watcher", "plugins", "ticket.ts")).isFile);
});

Deno.test("the released program compares two configurations, each in an isolate, and tests histories", async () => {
  await using program = await Released.open();
  await program.run(["init", "watcher"]);
  const config = Deno.readTextFileSync(program.path("watcher", "config.ts"));
  await program.write("watcher/new.ts", config.replace(`"KDC"`, `"FRA"`));
  const life = "samples/life.jsonl";
  for (const [now, code] of [["new.ts", 3], ["../watcher/copy.ts", 0]] as const) {
    await program.write("watcher/copy.ts", config);
    const end = await program.run(["diff", "config.ts", now, life, "--stat"], { dir: "watcher" });
    assert.deepEqual([end.code, end.err], [code, ""], end.out);
  }
  await program.write("watcher/tests/life.jsonl", Deno.readTextFileSync(program.path("watcher", life)));
  for (const args of [["--update"], []]) {
    const { code, err } = await program.run(["test", ...args], { dir: "watcher" });
    assert.deepEqual([code, err], [0, ""]);
  }
});

Deno.test("the released program loads a config.ts from anywhere, with the plugin beside it and its own `oss-watcher`", async () => {
  await using program = await Released.open();
  await program.run(["init", "elsewhere"]);
  await program.write("etc/plugins/own.ts", OWN_PLUGIN);
  await program.write("etc/config.ts", configWith("new Own('unused')", ""));
  // What the user's directory says of modules is not for the program.
  await program.write("deno.json", `{ "imports": { "oss-watcher": "./nothing.ts" } }`);
  const { code, out, err } = await program.run(["--config", "etc/config.ts", "--dry-run", `elsewhere/${SAMPLE}`]);
  assert.deepEqual({ code, err }, { code: 0, err: "" });
  assert.match(out, /own: true [^ ]+ of the same module: true/);
});

Deno.test("the released program runs oss_framework's configuration with a plugin beside it, and migrates it", async () => {
  await using program = await Released.open();
  await program.run(["init", "watcher"]);
  Deno.removeSync(program.path("watcher", "config.ts"));
  await program.write("watcher/oss.conf", OSS_CONF);
  await program.write(
    "watcher/plugins/new_plugin.ts",
    "export class YourPlugin { notify() {} preview() { return 'mine'; } }",
  );
  const direct = await program.run(["--config-file", "oss.conf", "--dry-run", SAMPLE], { dir: "watcher" });
  assert.deepEqual([direct.code, direct.err], [0, ""]);
  assert.match(direct.out, /POST https:\/\/cmdb\.example\/new\n[^]*YourPlugin would send\n\s+mine\n/);
  const { code, out } = await program.run(["migrate", "oss.conf"], { dir: "watcher" });
  assert.equal(code, 0);
  await program.write("watcher/config.ts", out);
  assert.deepEqual(await program.run(["--dry-run", SAMPLE], { dir: "watcher" }), direct);
});

const OSS_CONF = `[DEFAULT]
enabled_plugins = rest_plugin.RESTNotify, new_plugin.YourPlugin
events_creation = compute.instance.create.end
[rest]
host = https://cmdb.example
url_creation = /new
url_deletion = /old
`;

for (
  const [what, code, refused] of [
    ["run programs", `new Deno.Command("true").outputSync()`, "run access"],
    ["load foreign code", `Deno.dlopen("/lib/x86_64-linux-gnu/libc.so.6", {})`, "ffi access"],
    ["ask about the system", `Deno.osRelease()`, "sys access"],
  ] as const
) {
  Deno.test(`the released program does not let a configuration ${what}`, async () => {
    await using program = await Released.open();
    await program.write("config.ts", `${code};\n${configWith("{ name: 'none', notify() {} }", "")}`);
    const { code: exitCode, err } = await program.run(["--dry-run", "missing.json"]);
    assert.equal(exitCode, 1);
    assert.match(err, /config\.ts/);
    assert.ok(err.includes(refused), err);
  });
}

Deno.test({
  name: onLinux(
    "the released program trusts the authorities that the system trusts",
    "elsewhere they are no file that a test can choose",
  ),
  ignore: !IS_LINUX,
  async fn() {
    await using pki = await TestPki.make();
    await using server = new TestServer(undefined, await pki.issue("localhost"));
    await using program = await Released.open();
    await program.run(["init", "."]);
    const sample = ["--dry-run", SAMPLE];
    await program.write("config.ts", `${askWithTls(server.port)}${configWith("{ name: 'none', notify() {} }", "")}`);
    const env = { SSL_CERT_FILE: pki.caFile };
    const { code, err } = await program.run(sample, { env });
    assert.deepEqual({ code, err }, { code: 0, err: "" });
    assert.equal(server.requests.length, 1);
    assert.match((await program.run(sample, { env: { ...env, DENO_TLS_CA_STORE: "mozilla" } })).err, /config\.ts/);
  },
});

Deno.test({
  name: onLinux(
    "the released program runs as a service: an own plugin hears of servers on RabbitMQ, SIGTERM ends it",
    "elsewhere there is no RabbitMQ to start, and on Windows no SIGTERM",
  ),
  ignore: !IS_LINUX,
  fn: runsAsService,
});

/** A test's name, with the reason where it does not run. */
function onLinux(name: string, why: string): string {
  return IS_LINUX ? name : `${name} (skipped: ${why})`;
}

async function runsAsService(): Promise<void> {
  const given = Deno.env.get("OSS_WATCHER_RABBIT_URL");
  await using rabbit = given === undefined ? await startRabbit() : null;
  const url = rabbit?.url ?? given as string;
  await using publisher = new CloudPublisher(url);
  const exchange = `oss-watcher-binary-${crypto.randomUUID()}`;
  await publisher.declareExchange(exchange, { durable: false });
  await using program = await Released.open();
  await program.write("etc/plugins/own.ts", OWN_PLUGIN);
  const queue = `{ name: "${exchange}", exchanges: ["${exchange}"], type: "classic" }`;
  const heard = program.path("heard.txt");
  const [consolePort = 0] = freePorts(1);
  await program.write(
    "etc/config.ts",
    configWith(
      `new Own(${JSON.stringify(heard)})`,
      `rabbit: { url: ${JSON.stringify(url)}, queue: ${queue} }, console: { port: ${consolePort} },`,
    ),
  );
  const service = program.start(["--config", "etc/config.ts"]);
  let log = "";
  const read = (async () => {
    for await (const text of service.stderr.pipeThrough(new TextDecoderStream())) log += text;
  })();
  try {
    await until(() => log.includes("Listening on queue"), LONG_MS);
    for (const { body, routing_key } of readCapture("unversioned.jsonl").filter(isNova)) {
      await publisher.publish({ exchange, routingKey: routing_key, body });
    }
    await until(() => servers(heard) > 5, LONG_MS);
    await showsConsole(program);
    service.kill("SIGTERM");
    assert.equal((await service.status).code, 0, log);
    assert.ok(Deno.statSync(program.path("etc", "ledger.db")).isFile);
  } finally {
    try {
      service.kill("SIGKILL");
    } catch {
      // It has ended, as it should.
    }
    await Promise.all([read, service.status, service.stdout.cancel()]);
  }
}

/** The page's files are in the program, and the worker is an isolate of it. */
async function showsConsole(program: Released): Promise<void> {
  const { out, err } = await program.run(["--config", "etc/config.ts", "console"]);
  assert.equal(err, "");
  const { origin } = new URL(out);
  const signedIn = await fetch(out.trim());
  await signedIn.body?.cancel();
  const headers = { cookie: signedIn.headers.get("set-cookie")!.split(";")[0]! };
  const page = await (await fetch(origin, { headers })).text();
  for (const [, file = ""] of page.matchAll(/(?:src|href)="([^"]+)"/g)) {
    const response = await fetch(`${origin}/${file}`);
    assert.equal(response.status, 200, file);
    await response.body?.cancel();
  }
  const events = await (await fetch(`${origin}/api/v1/events`, { headers })).json();
  assert.ok(events.rows.length > 5, JSON.stringify(events));
}

/** Both ways in which plugins speak TLS: Deno's own, and that of Node.js which the libraries use. */
function askWithTls(port: number): string {
  return `import { connect } from "node:tls";
await (await fetch("https://localhost:${port}/")).text();
await new Promise((resolve, reject) => {
  const socket = connect({ host: "localhost", port: ${port} }, () => resolve(socket.destroy()));
  socket.on("error", reject);
});
`;
}

const OWN_PLUGIN = `import { type Detail, PermanentError } from "oss-watcher";
import * as library from "oss-watcher";
import { printable } from "oss-watcher/kit";

export class Own {
  constructor(readonly file: string) {}

  preview(detail: Detail, created: boolean): string {
    return \`own: \${created} \${printable(detail.FQDN ?? "")} of the same module: \${library.PermanentError === PermanentError}\`;
  }

  notify(detail: Detail, created: boolean): void {
    Deno.writeTextFileSync(this.file, \`\${created} \${detail.ID}\\n\`, { append: true });
  }
}
`;

function configWith(plugin: string, rest: string): string {
  const own = plugin.includes("Own") ? `import { Own } from "./plugins/own.ts";\n` : "";
  return `import type { Config } from "oss-watcher";
${own}export default {
  events: { creation: ["compute.instance.create.end"], deletion: ["compute.instance.delete.end"] },
  plugins: [${plugin}],
  ${rest}
  ledger: { file: "./ledger.db", keepDays: 36500 },
} satisfies Config;
`;
}

function isNova({ exchange }: { readonly exchange: string }): boolean {
  return exchange === "nova";
}

function servers(file: string): number {
  try {
    return Deno.readTextFileSync(file).trim().split("\n").length;
  } catch {
    return 0;
  }
}
