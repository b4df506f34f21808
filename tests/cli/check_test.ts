import assert from "node:assert/strict";
import { CloudBus, PASSWORD } from "../support/bus.ts";
import { OpenStackServer } from "../support/openstack_server.ts";
import { ProgramDirectory, type ProgramEnd, runProgram } from "../support/program.ts";
import { matchesSnapshot } from "../support/snapshot.ts";
import { until } from "../support/until.ts";

const PERMISSIONS = ["--allow-net", "--allow-read", "--allow-write", "--allow-env"];

interface Found {
  readonly level: string;
  readonly key: string;
  readonly text: string;
}

let bus: CloudBus;

Deno.test.beforeAll(async () => {
  bus = await CloudBus.open({ management: true });
});

Deno.test.afterAll(() => bus[Symbol.asyncDispose]());

Deno.test("check of a good configuration has nothing but ok, with exit code 0, and asks nobody", async () => {
  using dir = directory({ rabbit: { host: "rabbit.invalid", user: "w", queue: { name: "oss-watcher" } } });
  const permissions = ["--allow-read", "--allow-write", "--allow-env", "--deny-net"];
  const { code, out, err } = await runProgram({ dir: dir.path(), args: ["check"], permissions });
  assert.deepEqual([code, err], [0, ""]);
  await looksAs(out, { dir, name: "good" });
  assert.deepEqual([...Deno.readDirSync(dir.path())].map(({ name }) => name), ["config.ts"]);
});

Deno.test("check tells all mistakes at once, each with its key, with exit code 1", async () => {
  using dir = directory({
    rabbit: { host: "h", port: "5672", queue: { name: "oss-watcher", typ: "classic" } },
    retry: { plugins: { Silnt: { concurrency: 0 } } },
  });
  const { code, findings } = await check(dir);
  assert.equal(code, 1);
  assert.deepEqual(findings.map(({ level, key }) => `${level} ${key}`).sort(), [
    "error rabbit.port",
    "error rabbit.queue.typ",
    "error retry.plugins.Silnt",
    "error retry.plugins.Silnt.concurrency",
  ]);
  assert.match(textOf(findings, "retry.plugins.Silnt"), /did you mean "Silent"/);
  const human = await runProgram({ dir: dir.path(), args: ["check"], permissions: PERMISSIONS });
  await looksAs(human.out, { dir, name: "mistakes" });
});

Deno.test("check warns of what works and is hardly meant", async () => {
  using dir = directory(
    { rabbit: { host: "rabbit-1", queue: { name: "oss-watcher" } } },
    `new RestNotify({ host: "https://cmdb.example", port: 80, urlCreation: "/a", urlDeletion: "/b" }),
     new RestNotify({ name: "Plain", host: "http://cmdb.example", user: "u", password: "${PASSWORD}", urlCreation: "/a", urlDeletion: "/b" }),
     { name: "Broken", notify() {}, preview() { throw new Error("no such key") } }`,
  );
  Deno.chmodSync(dir.path("config.ts"), 0o644);
  const { code, findings, out } = await check(dir);
  assert.equal(code, 0);
  const warnings = findings.filter(({ level }) => level === "warning");
  assert.deepEqual(warnings.map(({ key }) => key), [
    "config.ts:8",
    "rabbit.user",
    "plugins[0] RestNotify",
    "plugins[1] Plain",
    "plugins[2] Broken",
  ]);
  assert.match(textOf(findings, "plugins[0] RestNotify"), /^https:\/\/ to port 80 of cmdb\.example:80: /);
  assert.match(textOf(findings, "plugins[2] Broken"), /no such key/);
  const human = await runProgram({ dir: dir.path(), args: ["check"], permissions: PERMISSIONS });
  await looksAs(human.out, { dir, name: "warnings" });
  assert.ok(!out.includes(PASSWORD));
});

Deno.test("check finds files that are not there, and places where nobody may write", async () => {
  using dir = directory({
    rabbit: { host: "h", user: "u", tls: { caFile: "/nowhere/ca.pem" }, queue: { name: "oss-watcher" } },
    openstack: { authUrl: "https://k:5000/v3", user: "u", password: "p", project: "p", caFile: "/nowhere/os.pem" },
    ledger: { file: "config.ts/ledger.db" },
  });
  const { code, findings } = await check(dir);
  assert.equal(code, 1);
  assert.match(textOf(findings, "rabbit"), /rabbit\.tls\.caFile "\/nowhere\/ca\.pem": there is no such file/);
  assert.match(textOf(findings, "openstack.caFile"), /^"\/nowhere\/os\.pem": there is no such file/);
  assert.match(textOf(findings, "ledger.file"), /config\.ts\/ledger\.db": .*directory/i);
});

Deno.test("check of a file that does not run says so as a finding", async () => {
  using dir = new ProgramDirectory({ "config.ts": "export default {" });
  const { code, findings } = await check(dir);
  assert.equal(code, 1);
  assert.match(textOf(findings, "config"), /^Cannot load the configuration/);
});

Deno.test("check --connect finds everything well where it is, and changes nothing on the broker", async () => {
  await using cloud = new OpenStackServer();
  await using receiver = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => new Response());
  using dir = directory(
    {
      rabbit: bus.source(),
      openstack: { authUrl: cloud.authUrl, user: "admin", password: PASSWORD, project: "admin" },
    },
    `new RestNotify({ host: "http://127.0.0.1", port: ${receiver.addr.port}, urlCreation: "/a", urlDeletion: "/b" })`,
  );
  await bus.rabbit.ctl("set_user_tags", "watcher", "monitoring");
  const before = await topology();
  const { code, findings, out } = await check(dir, "--connect", "--management", management());
  assert.equal(code, 0, out);
  assert.deepEqual(await topology(), before);
  assert.deepEqual(findings.filter(({ level }) => !["ok", "unchecked"].includes(level)), []);
  assert.match(out, /logged in at 127\.0\.0\.1:\d+ as \\"watcher\\"/);
  assert.match(out, /\\"oss-watcher\\" is not there yet/);
  assert.match(out, /our account may list the servers of all projects/);
  assert.match(out, /plugins\[0\] RestNotify","text":"its target is there/);
  assert.ok(!out.includes(PASSWORD));
});

Deno.test("check --connect finds rights, limits, targets and roles that are missing", async () => {
  await using cloud = new OpenStackServer();
  cloud.intercept = ({ path }) =>
    path.includes("all_tenants") ? cloud.recorded("servers-all-tenants-as-member") : undefined;
  using dir = directory(
    {
      rabbit: bus.source({
        queue: { name: "oss-watcher-limited", type: "classic", exchanges: ["nova", "glance", "no-such"] },
      }),
      openstack: { authUrl: cloud.authUrl, user: "admin", password: "p", project: "admin" },
    },
    `new RestNotify({ host: "http://127.0.0.1", port: 1, urlCreation: "/a", urlDeletion: "/b" })`,
  );
  await bus.rabbit.ctl("set_user_tags", "watcher", "monitoring");
  await bus.rabbit.ctl("set_permissions", "watcher", "^oss-watcher", "^oss-watcher", "^(oss-watcher.*|nova|no-such)$");
  await bus.rabbit.ctl(
    "eval",
    `rabbit_amqqueue:declare(rabbit_misc:r(<<"/">>, queue, <<"oss-watcher-limited">>), true, false, [{<<"x-queue-type">>, longstr, <<"classic">>}, {<<"x-single-active-consumer">>, bool, true}], none, <<"guest">>).`,
  );
  await bus.rabbit.ctl(
    "set_policy",
    "--apply-to",
    "queues",
    "limits",
    "limited$",
    `{"max-length": 10, "message-ttl": 60000}`,
  );
  try {
    // The API learns of policies every few seconds.
    await until(async () => (await managed("queues/%2F")).includes('"max-length":10'), 60_000);
    const { code, findings } = await check(dir, "--connect", "--management", management());
    assert.equal(code, 1);
    const errors = findings.filter(({ level }) => level === "error");
    assert.deepEqual(errors.map(({ key }) => key), ["rabbit.queue.exchanges", "plugins[0] RestNotify"]);
    assert.match(
      errors[0]?.text ?? "",
      /access to exchange 'glance' .* refused for user 'watcher'\. rabbitmqctl set_permissions USER /,
    );
    const warnings = findings.filter(({ level }) => level === "warning").map(({ text }) => text).join("\n");
    assert.match(warnings, /^"no-such" is not there: /m);
    assert.match(
      warnings,
      /^max-length 10: when it is full, the oldest notifications are dropped \(from the policy "limits"/m,
    );
    assert.match(warnings, /^message-ttl 60000 ms: /m);
    assert.match(warnings, /may not list the servers of all projects \(Nova\)/);
  } finally {
    await bus.rabbit.ctl("clear_policy", "limits");
    await restorePermissions();
  }
});

Deno.test("check --connect says what could not be looked at, and a watchQueue that is not there", async () => {
  using dir = directory({ rabbit: bus.source({ watchQueue: "monitoring.info" }) });
  const { code, findings } = await check(dir, "--connect", "--management", "http://127.0.0.1:1");
  assert.equal(code, 1);
  assert.match(textOf(findings, "rabbit.watchQueue"), /^"monitoring\.info": there is no such queue\. /);
  const [limits] = findings.filter(({ level, key }) => level === "unchecked" && key === "rabbit");
  assert.match(limits?.text ?? "", /^limits that lose messages .*rabbitmq-plugins enable rabbitmq_management/);
});

Deno.test("check --connect says once what is missing for every exchange", async () => {
  using dir = directory({ rabbit: bus.source({ queue: { name: "oss-watcher-mine", exchanges: ["nova", "glance"] } }) });
  await bus.rabbit.ctl("set_permissions", "watcher", "^none$", "^none$", "^none$");
  try {
    const { code, findings } = await check(dir, "--connect");
    assert.equal(code, 1);
    assert.match(textOf(findings, "rabbit.queue.exchanges"), /access to queue .* refused for user 'watcher'/);
    assert.equal(findings.filter(({ key }) => key === "rabbit.queue.exchanges").length, 1);
  } finally {
    await restorePermissions();
  }
});

Deno.test("check --connect says that our user may not look at a watchQueue, where RabbitMQ lets nobody without a right", async () => {
  using dir = directory({ rabbit: bus.source({ watchQueue: "closed" }) });
  const { code, findings } = await check(dir, "--connect");
  assert.equal(code, 1);
  const expected = await bus.rabbit.release() >= 4.3
    ? /^RabbitMQ does not let us look at queue "closed": .* Our user needs the right to read it$/
    : /^"closed": there is no such queue/;
  assert.match(textOf(findings, "rabbit.watchQueue"), expected);
});

Deno.test("check --connect with a wrong password is an error of rabbit, without it", async () => {
  using dir = directory({ rabbit: { ...bus.source(), password: `not-${PASSWORD}` } });
  const { code, findings, out } = await check(dir, "--connect");
  assert.equal(code, 1);
  assert.match(textOf(findings, "rabbit"), /refuses user "watcher": check rabbit\.user and rabbit\.password/);
  assert.ok(!out.includes(PASSWORD));
});

function management(): string {
  return `http://127.0.0.1:${bus.rabbit.managementPort}`;
}

async function managed(path: string): Promise<string> {
  const headers = { authorization: `Basic ${btoa("guest:guest")}` };
  return await (await fetch(`${management()}/api/${path}`, { headers })).text();
}

/** All that there is on the broker, and how much. */
async function topology(): Promise<string> {
  return await bus.rabbit.ctl("list_queues", "name", "messages", "arguments") +
    await bus.rabbit.ctl("list_exchanges", "name", "type", "durable") + await bus.rabbit.ctl("list_bindings");
}

async function check(
  dir: ProgramDirectory,
  ...args: readonly string[]
): Promise<ProgramEnd & { readonly findings: readonly Found[] }> {
  const end = await runProgram({ dir: dir.path(), args: ["check", "--json", ...args], permissions: PERMISSIONS });
  assert.notEqual(end.out, "", end.err);
  const { ok, findings } = JSON.parse(end.out);
  assert.equal(ok, end.code === 0);
  return { ...end, findings };
}

/** Compares it with what was read and found good, wherever the directory is. */
async function looksAs(
  out: string,
  { dir, name }: { readonly dir: ProgramDirectory; readonly name: string },
): Promise<void> {
  // Where lines break depends on how long the directory's name is.
  const text = out.replaceAll(/\n {11}/g, " ").replaceAll(dir.path(), "/etc/oss-watcher");
  assert.deepEqual(out.split("\n").filter((line) => line.length > 80 && !line.includes(dir.path())), []);
  await matchesSnapshot(text, new URL(`snapshots/check/${name}.txt`, import.meta.url));
}

/** What is said of a key, errors and warnings first. */
function textOf(findings: readonly Found[], key: string): string {
  const [found] = findings.filter((one) => one.key === key && one.level !== "ok");
  return found?.text ?? "";
}

function directory(
  options: Readonly<Record<string, unknown>>,
  plugins = `{ name: "Silent", notify() {} }`,
): ProgramDirectory {
  const dir = new ProgramDirectory({
    "config.ts": `import { RestNotify } from "oss-watcher/plugins";
void RestNotify;
export default {
  events: { creation: ["compute.instance.create.end"], deletion: ["compute.instance.delete.end"] },
  ledger: { file: "./ledger.db" },
  plugins: [
     ${plugins},
  ],
  ...${JSON.stringify(options)},
};
`,
  });
  Deno.chmodSync(dir.path("config.ts"), 0o600);
  return dir;
}

/** Gives the user back what the other tests expect of it. */
async function restorePermissions(): Promise<void> {
  await bus.restorePermissions();
}
