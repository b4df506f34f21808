import assert from "node:assert/strict";
import { readCapture } from "../support/captures.ts";
import { OpenStackServer, RECORDED } from "../support/openstack_server.ts";
import { ProgramDirectory, type ProgramEnd, runProgram } from "../support/program.ts";

const PASSWORD = "hush-4711";
const NETWORK = ["--allow-read", "--allow-env", "--allow-net", "--deny-write"];
/** A server came and went. */
const LIFE = readCapture("unversioned.jsonl").filter(({ body }) =>
  body.includes(RECORDED.twoNics) && /compute\.instance\.(create|delete)\.end/.test(body)
);

function directory(openstack: Readonly<Record<string, unknown>> | undefined): ProgramDirectory {
  return new ProgramDirectory({
    "life.jsonl": LIFE.map((line) => `${JSON.stringify(line)}\n`).join(""),
    "config.ts": `export default {
      events: { creation: ["compute.instance.create.end"], deletion: ["compute.instance.delete.end"] },
      plugins: [{ name: "Pager", notify() { throw new Error("a dry run called notify"); } }],
      ${openstack === undefined ? "" : `openstack: ${JSON.stringify(openstack)},`}
    };`,
  });
}

function account({ authUrl }: { readonly authUrl: string }): Readonly<Record<string, unknown>> {
  return { authUrl, user: "admin", password: PASSWORD, project: "admin" };
}

async function dryRun(dir: ProgramDirectory, ...args: readonly string[]): Promise<ProgramEnd> {
  const end = await runProgram({ dir: dir.path(), args: ["--dry-run", "life.jsonl", ...args], permissions: NETWORK });
  assert.ok(!`${end.out}${end.err}`.includes(PASSWORD));
  return end;
}

/** The details of what would be sent, in order. */
function detailsIn({ out }: ProgramEnd): Readonly<Record<string, unknown>>[] {
  return out.trimEnd().split("\n").flatMap((line) => JSON.parse(line).events).map(({ detail }) => detail);
}

Deno.test("dry run with --openstack completes details from the cloud, reading only", async () => {
  await using cloud = new OpenStackServer();
  cloud.intercept = ({ path }) =>
    path.startsWith("/v2.1/servers/")
      ? cloud.recorded("server-two-nics", (body) => body.replace(`"status"`, `"description": "front end", "status"`))
      : undefined;
  using dir = directory(account(cloud));
  const end = await dryRun(dir, "--openstack", "--json");
  assert.equal(end.code, 0, end.err);
  const [came, gone, ...more] = detailsIn(end);
  assert.deepEqual(more, []);
  assert.equal(came!["Description"], "front end");
  assert.deepEqual(gone, came);
  const { requests } = cloud;
  assert.deepEqual(requests.filter(({ method }) => method !== "GET").map(({ path }) => path), ["/v3/auth/tokens"]);
  assert.equal(requests.filter(({ path }) => /\/(servers\/|ports)/.test(path)).length, 2);
});

Deno.test("dry run without --openstack asks nothing, and marks the keys that it would ask for", async () => {
  await using cloud = new OpenStackServer();
  using dir = directory(account(cloud));
  const human = await dryRun(dir);
  assert.deepEqual([human.code, human.err], [0, ""]);
  assert.deepEqual(human.out.match(/^ {2}keys that OpenStack would be asked for: .*$/gm), [
    "  keys that OpenStack would be asked for: Description, FQDN",
  ]);
  using plain = directory(undefined);
  const [json, without] = [await dryRun(dir, "--json"), await dryRun(plain, "--json")];
  assert.equal(json.out, without.out);
  assert.ok(!(await dryRun(plain)).out.includes("OpenStack"));
  assert.deepEqual(cloud.requests, []);
});

Deno.test("dry run with --openstack goes on when a service fails, and says so", async () => {
  await using cloud = new OpenStackServer();
  cloud.intercept = ({ path }) => path.startsWith("/v2.1/servers/") ? new Response(null, { status: 503 }) : undefined;
  using dir = directory(account(cloud));
  const end = await dryRun(dir, "--openstack", "--json");
  assert.equal(end.code, 0);
  assert.equal(detailsIn(end)[0]!["Description"], null);
  assert.match(
    end.err,
    /WARNING \(openstack\) Cannot ask Nova at \S+: 503\. See its own log\. Details are made without it$/m,
  );
});

Deno.test("dry run with --openstack ends with one line when Keystone refuses us or does not answer", async () => {
  await using cloud = new OpenStackServer();
  cloud.login = "auth-wrong-password";
  using refused = directory(account(cloud));
  using unreachable = directory(account({ authUrl: "http://127.0.0.1:1/v3" }));
  for (
    const [dir, says] of [[refused, /^Cannot log in at Keystone .*: 401/], [
      unreachable,
      /^Cannot ask Keystone /,
    ]] as const
  ) {
    const { code, out, err } = await dryRun(dir, "--openstack");
    assert.deepEqual([code, out], [1, ""]);
    const [, error, ...more] = err.trimEnd().split("\n");
    assert.match(error!, says);
    assert.deepEqual(more, []);
  }
});

Deno.test("dry run with --openstack refuses files and URLs that cannot be used before it asks anybody", async () => {
  await using cloud = new OpenStackServer();
  const section = "the section `openstack` of config.ts";
  const cases = [
    [
      { caFile: "/nowhere/ca.pem" },
      `Cannot read the CA file "/nowhere/ca.pem": No such file or directory (os error 2). Correct it in ${section}`,
    ],
    [
      { caFile: import.meta.filename! },
      `Cannot use the CA file "${import.meta.filename}": it is not PEM. Correct it in ${section}`,
    ],
    [
      { authUrl: `${cloud.authUrl}?x=${PASSWORD}` },
      `Cannot use ${section}: openstack.authUrl is "${cloud.authUrl}?x=***"; remove the "?" or "#" and all that follows`,
    ],
  ] as const;
  for (const [wrong, says] of cases) {
    using dir = directory({ ...account(cloud), ...wrong });
    const { code, out, err } = await dryRun(dir, "--openstack");
    assert.deepEqual([code, out, err], [1, "", `${says}\n`]);
  }
  assert.deepEqual(cloud.requests, []);
});

Deno.test("--openstack goes with --dry-run and a configured cloud", async () => {
  using dir = directory(undefined);
  const { code, err } = await dryRun(dir, "--openstack");
  assert.deepEqual([code, err], [
    1,
    'Cannot ask OpenStack: config.ts has no `openstack` section. Add one, as openstack: { cloud: "NAME" }\n',
  ]);
  const alone = await runProgram({ dir: dir.path(), args: ["--openstack"] });
  assert.deepEqual([alone.code, alone.err], [2, "Cannot use --openstack: it goes with --dry-run FILE\n"]);
  const command = await runProgram({ dir: dir.path(), args: ["--openstack", "events"] });
  assert.deepEqual([command.code, command.err], [
    2,
    "Cannot use --openstack with a command: it goes with --dry-run FILE\n",
  ]);
});
