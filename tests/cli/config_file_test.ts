import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { ProgramDirectory, READ_WRITE, runProgram } from "../support/program.ts";

const SAMPLE = fileURLToPath(new URL("../../samples/compute.instance.create.end.json", import.meta.url));
const GOOD = await Deno.readTextFile(new URL("../data/first_generation/oss.conf", import.meta.url));
const WITH_OWN = GOOD.replace("RESTNotify\n", "RESTNotify,new_plugin.YourPlugin\n");
const PLACE = "oss.conf:2: enabled_plugins of [DEFAULT]";
const FILE = "plugins/new_plugin.ts";

/** What is said of a configuration, word by word: `DIR` stands for the directory. */
interface Case {
  readonly what: string;
  readonly conf: string;
  readonly plugin?: string;
  readonly says: readonly string[];
}

const CASES: readonly Case[] = [
  {
    what: "many mistakes at once, with what nothing reads",
    conf: GOOD.replace("host=localhost", "host=rabbit:5672").replace("port=5672", "port=56x").replace(
      "watch_queue",
      "watch_qeue",
    )
      .replace("user=user\npassword=password\nurl_creation=/some_url\n", "password=hush-4711\n").replace(
        "instance.create.end",
        "instance.creat.end",
      ),
    says: [
      "oss.conf: watch_queue of [rabbit]: missing. Write the queue to listen on, as watch_queue = monitoring.info",
      'oss.conf: url_creation of [rest]: must be a full URL, or a path like "/some_url" with host',
      "oss.conf:17: password of [rest]: needs user",
      'oss.conf:4: events_creation of [DEFAULT]: "compute.instance.creat.end" is not an event of this group; allowed: compute.instance.create.end, instance.create.end, floatingip.update.end; did you mean "compute.instance.create.end"?',
      `oss.conf:8: host of [rabbit]: found "rabbit:5672"; allowed: a host's name or address, without scheme, port and path`,
      'oss.conf:9: port of [rabbit]: found "56x"; allowed: a whole number from 1 to 65535',
      "oss.conf:16: port of [rest]: host begins with https://, so TLS is spoken to port 80. If the service has its TLS elsewhere, write port = 443",
      'oss.conf:12: watch_qeue of [rabbit]: is not read: no option of this section; did you mean "watch_queue"?',
    ],
  },
  {
    what: "no plugin, and no events",
    conf: "[DEFAULT]\nenabled_plugins =\nevents_creation =\n",
    says: [
      "oss.conf: enabled_plugins of [DEFAULT]: names no plugin. Write enabled_plugins = rest_plugin.RESTNotify",
      "oss.conf: events_creation and events_deletion of [DEFAULT]: creation and deletion are both empty: there is nothing to watch",
    ],
  },
  {
    what: "half a login to OpenStack",
    conf: GOOD.replace("auth_url=http://localhost:5000/v2.0\n", "").replace("tenant=admin", "tenant ="),
    says: ["auth_url", "tenant"].map((key) =>
      `oss.conf: ${key} of [openstack]: missing. Write it, or take out the section [openstack]`
    ),
  },
  {
    what: "names that are none",
    conf: "[DEFAULT]\nenabled_plugins = a.B, a.B, Nope, ../x.Y, /etc/x.Y\nevents_creation = floatingip.update.end\n",
    says: [
      `${PLACE}: names a.B twice. Keep one`,
      ...["Nope", "../x.Y", "/etc/x.Y"].map((name) =>
        `${PLACE}: "${name}" is no plugin. Write module.Class, as new_plugin.YourPlugin for class YourPlugin of plugins/new_plugin.ts`
      ),
      `${PLACE}: a.B: there is no file "DIR/plugins/a.ts". Write it, with export class B`,
    ],
  },
  {
    what: "a plugin of one's own that is not there",
    conf: WITH_OWN,
    says: [`${PLACE}: new_plugin.YourPlugin: there is no file "DIR/${FILE}". Write it, with export class YourPlugin`],
  },
  {
    what: "a plugin of one's own under another name",
    conf: WITH_OWN,
    plugin: "export class MyPlugin { notify() {} }",
    says: [`${PLACE}: new_plugin.YourPlugin: ./${FILE} exports no class YourPlugin. It exports MyPlugin`],
  },
  {
    what: "a plugin of one's own without a class",
    conf: WITH_OWN,
    plugin: "export const YourPlugin = { notify() {} };",
    says: [`${PLACE}: new_plugin.YourPlugin: ./${FILE} exports no class YourPlugin. Write export class YourPlugin`],
  },
  {
    what: "a plugin of one's own that does not parse",
    conf: WITH_OWN,
    plugin: "export class YourPlugin {",
    says: [
      `${PLACE}: new_plugin.YourPlugin: cannot be loaded: DIR/${FILE}:1:26: Syntax error: Unexpected eof`,
    ],
  },
  {
    what: "a plugin of one's own that wants options",
    conf: WITH_OWN,
    plugin: `export class YourPlugin { constructor(options: { url: string }) { new URL(options.url); } notify() {} }`,
    says: [
      `${PLACE}: new_plugin.YourPlugin cannot be made: Cannot read properties of undefined (reading 'url'). From here its constructor gets ` +
      "nothing: write config.ts (oss-watcher migrate), and in it new YourPlugin({ … })",
    ],
  },
  {
    what: "a plugin of one's own without notify",
    conf: WITH_OWN,
    plugin: "export class YourPlugin {}",
    says: [`${PLACE}: has no notify(detail, created); found YourPlugin {}`],
  },
  {
    what: "references that lead nowhere",
    conf: GOOD.replace("some_host", "$nope"),
    says: [
      'oss.conf:15: host of [rest]: "$nope" names no option of the file. Write $$ for a dollar',
      "oss.conf:16: port of [rest]: needs host",
      'oss.conf:19: url_creation of [rest]: must be a full URL, or a path like "/some_url" with host',
      'oss.conf:20: url_deletion of [rest]: must be a full URL, or a path like "/some_url" with host',
    ],
  },
];

for (const { what, conf, plugin, says } of CASES) {
  Deno.test(`--config-file refuses ${what}, with the place in the file and exit code 1`, async () => {
    using dir = new ProgramDirectory({ "oss.conf": conf, ...plugin === undefined ? {} : { [FILE]: plugin } });
    const end = await runProgram({ dir: dir.path(), args: ["--config-file", "oss.conf", "--dry-run", SAMPLE] });
    const err = ['Cannot use the configuration "oss.conf":', ...says.map((line) => `  ${line}`), ""].join("\n");
    assert.deepEqual({ ...end, err: end.err.replaceAll(Deno.realPathSync(dir.path()), "DIR") }, {
      code: 1,
      out: "",
      err: withWarning(err, conf),
    });
  });
}

/** The document's own example has something to be warned of, too. */
function withWarning(err: string, conf: string): string {
  const warning =
    "  oss.conf:16: port of [rest]: host begins with https://, so TLS is spoken to port 80. If the service has its TLS elsewhere, write port = 443\n";
  return conf.includes("host=https://some_host\nport=80") && !err.includes(warning) ? err + warning : err;
}

for (
  const [what, args, files, says, code = 1] of [
    [
      "beside --config",
      ["--config", "config.ts", "--config-file", "oss.conf"],
      {},
      "Cannot use --config and --config-file together: keep one",
      2,
    ],
    [
      "of a file that is not there",
      ["--config-file", "oss.conf"],
      {},
      'Cannot read the configuration "DIR/oss.conf": there is no such file. Correct its name',
    ],
    [
      "of a service's file",
      ["--config-file", "my.conf"],
      { "my.conf": "[DEFAULT]\nmy_ip=1\n" },
      'Cannot use the configuration "my.conf": it has neither an option of oss_framework (enabled_plugins, [rabbit] host, …) nor a transport_url. Name the configuration that oss_watcher was started with, or a nova.conf',
    ],
    [
      "of a service's RabbitMQ",
      ["--config-file", "nova.conf"],
      { "nova.conf": "[DEFAULT]\ntransport_url = rabbit://u:hush@h/\n" },
      `Cannot use the configuration "nova.conf": it is a service's, and names no plugin. Write a config.ts from it with oss-watcher migrate`,
    ],
    [
      "of a line that is none",
      ["--config-file", "oss.conf"],
      { "oss.conf": "[DEFAULT]\nhush-4711\n" },
      "Cannot read oss.conf:2: there is neither = nor :. Write key = value, or # in front of a comment",
    ],
    [
      "with --config",
      ["--config", "oss.conf"],
      { "oss.conf": GOOD },
      `Cannot use "DIR/oss.conf" with --config: it is no TypeScript. Use --config-file for oss_framework's configuration`,
    ],
  ] as const satisfies readonly (readonly [string, readonly string[], Record<string, string>, string, number?])[]
) {
  Deno.test(`--config-file ${what} is refused in one clear line`, async () => {
    using dir = new ProgramDirectory(files);
    const end = await runProgram({ dir: dir.path(), args: [...args, "--dry-run", SAMPLE] });
    assert.deepEqual({ ...end, err: end.err.replaceAll(dir.path(), "DIR") }, { code, out: "", err: `${says}\n` });
  });
}

Deno.test("--config-file takes several files, the later over the earlier, with plugins beside the first", async () => {
  using dir = new ProgramDirectory({
    "etc/oss.conf": WITH_OWN,
    "local.conf": "[rest]\nhost = https://other_host\nport =\n",
    [`etc/${FILE}`]: "export class YourPlugin { notify() {} preview() { return 'mine'; } }",
  });
  const args = ["--config-file=etc/oss.conf", "--config-file=local.conf", "--dry-run", SAMPLE];
  const end = await runProgram({ dir: dir.path(), args });
  assert.deepEqual([end.code, end.err], [0, ""]);
  assert.match(end.out, /POST https:\/\/other_host\/some_url\n/);
  assert.match(end.out, /YourPlugin would send\n\s+mine\n/);
});

Deno.test("--config-file is for commands on the ledger, too", async () => {
  using dir = new ProgramDirectory({ "oss.conf": GOOD });
  const env = { STATE_DIRECTORY: dir.path("state") };
  const end = await runProgram({
    dir: dir.path(),
    args: ["events", "--config-file", "oss.conf"],
    permissions: READ_WRITE,
    env,
  });
  assert.equal(end.code, 1);
  assert.match(end.err, /state\/ledger\.db/);
});
