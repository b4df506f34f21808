import assert from "node:assert/strict";
import { ProgramDirectory, type ProgramEnd, READ_WRITE, runProgram } from "../support/program.ts";
import { matchesSnapshot } from "../support/snapshot.ts";

/** The examples of oss_framework's document, put together. */
const DOCUMENT = await Deno.readTextFile(new URL("../data/first_generation/oss.conf", import.meta.url));
const BOTH_PLUGINS = DOCUMENT.replace("RESTNotify\n", "RESTNotify,new_plugin.YourPlugin\n");

const NOVA = `[DEFAULT]
# Made by a deployment tool.
transport_url = rabbit://openstack:p%40ss%2F4711@10.0.0.1:5672,openstack:p%40ss%2F4711@10.0.0.2:5672/%2Fnova
log_file = /var/log/nova/nova.log
my_ip = $my_block_storage_ip

[oslo_messaging_notifications]
driver = messagingv2
topics = monitoring

[oslo_messaging_rabbit]
ssl = true
ssl_ca_file = /etc/ssl/certs/rabbit.pem
`;

/** Of 2015, with several drivers. */
const FORMER_NOVA = `[DEFAULT]
transport_url = rabbit://openstack:hush-1@controller/
notification_driver = log
notification_driver = nova.openstack.common.notifier.rpc_notifier
notification_topics = monitoring,metering
`;

const DIFFERENT_ACCOUNTS = `[DEFAULT]
transport_url = rabbit://a:hush-1@h1,b:hush%232@[fd00::2]:5673/?ssl=1&ssl_version=TLSv1_2
[oslo_messaging_notifications]
driver = noop
`;

const ODD = `[DEFAULT]
enabled_plugins = rest_plugin.RESTNotify, a.Plugin, b.c.Plugin, d.Config
events_creation = compute.instance.create.end
debug = yes
verbose = True
use_syslog = false
domain = example.com

[rabbit]
watch_queue = monitoring.info
pasword = hush-4711

[rest]
host = http://vco.\${domain}
port = 443
url_creation = /run?token=hush-4711
url_deletion = /it's/"gone"

[a]
key = it's mine
`;

for (
  const [name, files, args] of [
    ["document", { "oss.conf": DOCUMENT }, ["oss.conf"]],
    ["document_with_your_plugin", { "oss.conf": BOTH_PLUGINS }, ["oss.conf"]],
    ["odd", { "oss.conf": ODD }, ["oss.conf"]],
    ["nova", { "nova.conf": NOVA }, ["nova.conf"]],
    ["former_nova", { "nova.conf": FORMER_NOVA }, ["nova.conf"]],
    ["different_accounts", { "nova.conf": DIFFERENT_ACCOUNTS }, ["nova.conf"]],
    ["queue_of_one_broker_of_other", {
      "oss.conf":
        "[DEFAULT]\nenabled_plugins = my.Own\nevents_creation = floatingip.update.end\n[rabbit]\nwatch_queue = monitoring.info\n",
      "nova.conf": NOVA,
    }, ["oss.conf", "nova.conf"]],
    ["mistakes", {
      "oss.conf": ODD.replace("watch_queue", "watch_qeue").replace("host = http://vco.", "host = ${nope}"),
    }, ["oss.conf"]],
  ] as const
) {
  Deno.test(`migrate says what config.ts ${name} comes to`, async () => {
    using dir = new ProgramDirectory(files);
    const end = await runProgram({ dir: dir.path(), args: ["migrate", ...args] });
    assert.equal(end.code, name === "mistakes" ? 1 : 0);
    assert.doesNotMatch(end.out + end.err, /hush|p@ss|p%40ss|passwprd|: "password"/);
    await matchesSnapshot(shown(end), new URL(`snapshots/migrate/${name}.txt`, import.meta.url));
  });
}

for (
  const [what, files, args, err, code = 1] of [
    [
      "no file",
      {},
      [],
      "Cannot read the command line: missing required argument 'file' (see oss-watcher migrate --help)",
      2,
    ],
    [
      "a file that is not there",
      {},
      ["oss.conf"],
      'Cannot read the configuration "DIR/oss.conf": there is no such file. Correct its name',
    ],
    ["a directory", {}, ["."], 'Cannot read the configuration "DIR": it is a directory. Name a file'],
    [
      "bytes",
      { "oss.conf": new Uint8Array([0xff, 0xfe, 0x41]) },
      ["oss.conf"],
      'Cannot read the configuration "DIR/oss.conf": it is not UTF-8. Convert it',
    ],
    [
      "another INI file",
      { "my.conf": "[client]\nuser=x\n" },
      ["my.conf"],
      'Cannot use the configuration "my.conf": it has neither an option of oss_framework (enabled_plugins, [rabbit] host, …) nor a transport_url. Name the configuration that oss_watcher was started with, or a nova.conf',
    ],
    [
      "what is no INI file",
      { "a.conf": "{}\n" },
      ["a.conf"],
      "Cannot read a.conf:1: there is no section yet. Write [DEFAULT] above it",
    ],
    [
      "AMQP 1.0",
      { "nova.conf": "[DEFAULT]\ntransport_url = amqp://u:hush@h//\n" },
      ["nova.conf"],
      'Cannot migrate "nova.conf":\n  nova.conf:2: transport_url of [DEFAULT]: begins with amqp://, which is AMQP 1.0 to oslo.messaging, and oss-watcher speaks to RabbitMQ. If the broker is RabbitMQ, write rabbit://',
    ],
    [
      "a password that ends the host",
      { "nova.conf": "[DEFAULT]\ntransport_url = rabbit://u:hu/sh@h/\n" },
      ["nova.conf"],
      'Cannot migrate "nova.conf":\n  nova.conf:2: transport_url of [DEFAULT]: has a host that cannot be read. Write user:password@host:5672, an IPv6 address in [ ], and "/" in a password as %2F',
    ],
  ] as const satisfies readonly (readonly [
    string,
    Record<string, string | Uint8Array>,
    readonly string[],
    string,
    number?,
  ])[]
) {
  Deno.test(`migrate refuses ${what} in one clear text`, async () => {
    using dir = new ProgramDirectory(files);
    const end = await runProgram({ dir: dir.path(), args: ["migrate", ...args] });
    assert.deepEqual({ ...end, err: end.err.replaceAll(dir.path(), "DIR") }, { code, out: "", err: `${err}\n` });
  });
}

Deno.test("migrate writes what type-checks and runs in a directory that init has made", async () => {
  using dir = new ProgramDirectory({ "oss.conf": BOTH_PLUGINS.replace("log_file=/var/logs/oss.log", "") });
  await runProgram({ dir: dir.path(), args: ["init", "here"], permissions: READ_WRITE });
  const { out } = await runProgram({ dir: dir.path(), args: ["migrate", "oss.conf"] });
  dir.write("here/config.ts", out);
  dir.write("here/plugins/new_plugin.ts", YOUR_PLUGIN);

  const here = dir.path("here");
  const checked = await new Deno.Command(Deno.execPath(), { cwd: here, args: ["check", "config.ts"] }).output();
  assert.ok(checked.success, new TextDecoder().decode(checked.stderr));
  const formatted = await new Deno.Command(Deno.execPath(), { cwd: here, args: ["fmt", "--check", "config.ts"] })
    .output();
  assert.ok(formatted.success, new TextDecoder().decode(formatted.stderr));

  const unset = await runProgram({ dir: here, args: ["--dry-run", "samples/life.jsonl"] });
  assert.equal(unset.code, 1);
  assert.match(unset.err, /config\.ts:\d+:\d+: Cannot read "REST_PASSWORD" from the environment: it is not set\./);
  const env = Object.fromEntries(["REST", "RABBIT", "OPENSTACK"].map((name) => [`${name}_PASSWORD`, "x"]));
  const run = await runProgram({ dir: here, args: ["--dry-run", "samples/life.jsonl"], env });
  assert.equal(run.code, 0, run.err);
  assert.match(run.out, /YourPlugin/);
});

const YOUR_PLUGIN = `import type { Detail, NotifyContext } from "oss-watcher";

export class YourPlugin {
  notify(_detail: Detail, _created: boolean, { log }: NotifyContext): void {
    log.info("Handled by YourPlugin.");
  }
}
`;

function shown({ code, out, err }: ProgramEnd): string {
  return `${out}--- standard error\n${err}--- exit code ${code}\n`;
}
