import assert from "node:assert/strict";
import { openOperations } from "../../src/ledger/sqlite/operations.ts";
import { openDatabase } from "../../src/ledger/sqlite/database.ts";
import { idOf, MadeCloud } from "../support/made_cloud.ts";
import { OpenStackServer } from "../support/openstack_server.ts";
import { ProgramDirectory, type ProgramEnd, runProgram, startProgram } from "../support/program.ts";

const NETWORK = ["--allow-read", "--allow-write", "--allow-env", "--allow-net"];
const PASSWORD = "hush-4711";
/** The project of the account. */
const OWN_PROJECT = "a966afeff6ad40f8bf469c6c312df6ef";
const SERVER = (number: number) => idOf("5e", number);
const FLOATING_IP = (number: number) => idOf("f1", number);

/** A cloud, and a directory with a configuration for it and a ledger that was primed from it. */
class Place implements AsyncDisposable {
  server = new OpenStackServer();
  readonly dir = new ProgramDirectory({});
  cloud!: MadeCloud;

  static async open(size: { readonly servers: number; readonly floatingIps: number; readonly ownProject?: string }) {
    const place = new Place();
    place.cloud = await MadeCloud.behind(place.server, size);
    place.configure({ authUrl: place.server.authUrl });
    using database = openDatabase(place.dir.path("ledger.db"), { create: true });
    database.exec(`INSERT INTO fact (name, value) VALUES ('began_at', '${Date.now()}')`);
    const { code, err } = await place.run("prime");
    assert.equal(code, 0, err);
    return place;
  }

  configure(openstack: { readonly authUrl: string } | undefined, { confirmSeconds = 1 } = {}): void {
    const section = openstack &&
      { ...openstack, user: "admin", password: PASSWORD, project: "admin", reconcile: { confirmSeconds } };
    this.dir.write(
      "config.ts",
      `export default { events: { creation: ["compute.instance.create.end", "floatingip.update.end"], deletion: ["compute.instance.delete.end", "floatingip.update.end"] },
        plugins: [{ name: "P", notify() {} }], ledger: { file: "./ledger.db" }, openstack: ${
        JSON.stringify(section)
      } };`,
    );
  }

  /** Replaces the cloud by another one, at other endpoints. */
  async replaceCloud(size: { readonly servers: number; readonly floatingIps: number }): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    this.server = new OpenStackServer();
    this.cloud = await MadeCloud.behind(this.server, size);
    this.configure({ authUrl: this.server.authUrl });
  }

  async run(...args: readonly string[]): Promise<ProgramEnd> {
    const end = await runProgram({ dir: this.dir.path(), args, permissions: NETWORK });
    assert.ok(!end.out.includes(PASSWORD) && !end.err.includes(PASSWORD));
    return end;
  }

  /** How many observations wait for the service. */
  get recorded(): number {
    using database = openDatabase(this.dir.path("ledger.db"), { create: false });
    return Number(database.prepare("SELECT count(*) AS count FROM notification").get()?.["count"]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    this.dir[Symbol.dispose]();
  }
}

Deno.test("reconcile ends with 0 in agreement, and with 3 and a plan otherwise; it records nothing", async () => {
  await using place = await Place.open({ servers: 12, floatingIps: 2 });
  const agreed = await place.run("reconcile");
  assert.deepEqual([agreed.code, agreed.err], [0, ""]);
  assert.match(agreed.out, /^Compared 12 servers, 12 ports, 2 floating IPs in \d+ s: in agreement\.\n$/);
  place.cloud.lists.servers[0]!["name"] = "\x1b[2J evil";
  place.cloud.remove("servers", SERVER(4));
  place.cloud.change("floatingips", FLOATING_IP(1), { port_id: null, port_details: null, fixed_ip_address: null });
  const { code, out } = await place.run("reconcile");
  assert.equal(code, 3);
  assert.deepEqual(out.split("\n").filter((line) => line.length > 80 && !/ {2,}(→|-)|^-/.test(line)), []);
  assert.match(out, new RegExp(`^- server  ${SERVER(4)}  web-4  10\\.0\\.0\\.4$`, "m"));
  assert.match(out, new RegExp(`^- floating IP  ${FLOATING_IP(1)}  web-1  203\\.0\\.0\\.1$`, "m"));
  assert.match(out, /Nothing was told\. To tell it: oss-watcher reconcile --apply/);
  assert.equal(place.recorded, 0);
});

Deno.test("reconcile --apply applies no more deletions than maxDeletions without --force", async () => {
  await using place = await Place.open({ servers: 40, floatingIps: 0 });
  assert.equal((await place.run("reconcile")).code, 0);
  for (let number = 1; number <= 11; number++) place.cloud.remove("servers", SERVER(number));
  const planned = await place.run("reconcile");
  assert.match(planned.out, /told so without\s+asking\. If that is right: oss-watcher reconcile --apply --force\n$/);
  const withheld = await place.run("reconcile", "--apply");
  assert.equal(withheld.code, 3);
  assert.match(withheld.out, /11 resources are gone, and at most 10 are told so without\s+asking/);
  assert.equal(place.recorded, 0);
  // A look at the plan leaves the metric and its alert rule as they are.
  assert.equal((await place.run("reconcile")).code, 3);
  {
    using database = openDatabase(place.dir.path("ledger.db"), { create: false });
    const last = database.prepare(
      "SELECT json_extract(data, '$.outcome') AS outcome FROM comparison ORDER BY seq DESC",
    );
    assert.equal(last.get()?.["outcome"], "withheld");
  }
  const forced = await place.run("reconcile", "--apply", "--force", "--json");
  await using operations = openOperations(place.dir.path("ledger.db"));
  assert.deepEqual((await operations.trail.read({ limit: 2 })).map(({ action, details }) => [action, details]), [
    ["reconcile", { apply: true, force: true, acceptScope: false, server: null }],
    ["reconcile", { apply: true, force: false, acceptScope: false, server: null }],
  ]);
  assert.equal(forced.code, 0);
  assert.deepEqual(JSON.parse(forced.out).drift, { untold: 0, gone: 11, moved: 0, changed: 0 });
  assert.ok(place.recorded >= 11);
});

Deno.test("reconcile concludes nothing from a cloud that is another one", async () => {
  await using place = await Place.open({ servers: 12, floatingIps: 2 });
  assert.equal((await place.run("reconcile")).code, 0);
  await place.replaceCloud({ servers: 3, floatingIps: 0 });
  const { code, out, err } = await place.run("reconcile", "--apply", "--force");
  assert.deepEqual([code, out], [1, ""]);
  assert.match(
    err,
    /^Cannot compare with OpenStack: It is not seen as in the last complete comparison: .*Nova ".*" → ".*"/m,
  );
  assert.match(err, /run "oss-watcher reconcile --accept-scope", look at its plan, and add --apply$/m);
  assert.equal(place.recorded, 0);
  const accepted = await place.run("reconcile", "--accept-scope");
  assert.equal(accepted.code, 3);
});

Deno.test("reconcile concludes nothing about other projects as an account that sees only its own", async () => {
  await using place = await Place.open({ servers: 10, floatingIps: 0, ownProject: OWN_PROJECT });
  assert.equal((await place.run("reconcile")).code, 0);
  place.cloud.isMember = true;
  place.cloud.remove("servers", SERVER(5));
  const { code, out } = await place.run("reconcile", "--json");
  const { drift, undecided, differences } = JSON.parse(out);
  // Servers 0 and 5 are of the own project; the other eight are not seen.
  assert.deepEqual([code, drift.gone, undecided.length], [3, 1, 8]);
  assert.equal(differences[0].id, SERVER(5));
});

Deno.test("reconcile concludes nothing when rights are taken away between its two questions", async () => {
  await using place = await Place.open({ servers: 10, floatingIps: 0, ownProject: OWN_PROJECT });
  place.cloud.remove("servers", SERVER(1));
  let asked = 0;
  place.cloud.before = ({ path }) => {
    // The second question: from then on only resources of the own project are shown.
    if (path.includes(SERVER(1)) && ++asked === 2) place.cloud.isMember = true;
  };
  const { code, out, err } = await place.run("reconcile", "--apply");
  assert.deepEqual([code, out], [1, ""]);
  assert.match(
    err,
    /^Cannot compare with OpenStack: Listed, but not shown when asked for by id: \S+\. Either the account may not see/m,
  );
  assert.equal(place.recorded, 0);
});

Deno.test("reconcile takes a server whose cell is down for one that is there", async () => {
  await using place = await Place.open({ servers: 10, floatingIps: 0 });
  assert.equal((await place.run("reconcile")).code, 0);
  for (const number of [1, 2, 3]) place.cloud.inDownCell.add(SERVER(number));
  const { code, out } = await place.run("reconcile");
  assert.equal(code, 0, out);
});

Deno.test("reconcile ends with a clear line where there is nothing to compare with", async () => {
  await using place = await Place.open({ servers: 1, floatingIps: 0 });
  place.cloud.refused.add("ports");
  place.configure(undefined);
  const unconfigured = await place.run("reconcile");
  assert.deepEqual([unconfigured.code, unconfigured.out], [1, ""]);
  assert.match(unconfigured.err, /^Cannot compare with OpenStack: .*config\.ts has no `openstack` section/m);
  place.configure({ authUrl: place.server.authUrl });
  const force = await place.run("reconcile", "--force");
  assert.match(force.err, /^Cannot use --force alone: it goes with --apply$/m);
  const missing = await place.run("reconcile", "--ledger", "nowhere.db");
  assert.match(missing.err, /^Cannot open the ledger "nowhere\.db": it is not there/m);
  {
    using database = openDatabase(place.dir.path("ledger.db"), { create: false });
    database.exec("DELETE FROM fact WHERE name = 'began_at'");
  }
  const unprimed = await place.run("reconcile");
  assert.match(unprimed.err, /^Cannot compare with OpenStack: The ledger has not read yet what is in OpenStack/m);
  assert.deepEqual([force.code, missing.code, unprimed.code], [2, 1, 1]);
});

for (
  const { what, answer } of [
    { what: "a list that is none", answer: () => Response.json({ servers: "all of them" }) },
    { what: "a proxy's page", answer: () => new Response("<html>404</html>", { status: 404 }) },
    { what: "an error for every server", answer: () => new Response("{}", { status: 500 }) },
  ]
) {
  Deno.test(`reconcile concludes nothing from ${what}`, async () => {
    await using place = await Place.open({ servers: 2, floatingIps: 0 });
    place.server.intercept = (request) =>
      request.service === "compute" && request.path.includes("/servers/") ? answer() : place.cloud.intercept(request);
    const { code, out, err } = await place.run("reconcile", "--apply");
    assert.deepEqual([code, out], [1, ""], err);
    assert.match(err, /Cannot compare with OpenStack: Cannot ask Nova at/);
    assert.equal(place.recorded, 0);
  });
}

Deno.test("reconcile is no agreement if OpenStack does not let us see a resource that is not listed", async () => {
  await using place = await Place.open({ servers: 12, floatingIps: 0 });
  place.cloud.remove("servers", SERVER(3));
  place.server.intercept = (request) =>
    request.path.includes(`/servers/${SERVER(3)}`)
      ? Response.json({ forbidden: { code: 403, message: "no" } }, { status: 403 })
      : place.cloud.intercept(request);
  const { code, out } = await place.run("reconcile", "--apply");
  assert.equal(code, 1);
  assert.match(out, new RegExp(`server {2}${SERVER(3)}: our account may not see it \\(403\\)`));
  assert.match(out, /in \d+ s: 1 without an answer\.$/m);
  using database = openDatabase(place.dir.path("ledger.db"), { create: false });
  assert.equal(database.prepare("SELECT value FROM fact WHERE name = 'agreed_at'").get(), undefined);
});

Deno.test("reconcile --server refuses a server of which nothing is known", async () => {
  await using place = await Place.open({ servers: 12, floatingIps: 0 });
  for (const server of ["nobody", "\x1b[2J/../x", SERVER(12)]) {
    const { code, out, err } = await place.run("reconcile", "--server", server);
    assert.deepEqual([code, out], [1, ""]);
    assert.match(
      err,
      /^Cannot compare with OpenStack: Neither the ledger nor Nova's list has the server ".+": check its id$/m,
    );
    assert.ok(!err.includes("\x1b"));
  }
  assert.equal((await place.run("reconcile", "--server", SERVER(11))).code, 0);
  assert.equal((await place.run("reconcile", "--server", "")).code, 1);
});

for (const during of ["login", "waiting"] as const) {
  Deno.test(`reconcile ends at once, with a clear line, when it is interrupted: ${during}`, async () => {
    await using place = await Place.open({ servers: 20, floatingIps: 0 });
    place.configure({ authUrl: place.server.authUrl }, { confirmSeconds: 60 });
    place.cloud.remove("servers", SERVER(1));
    const reached = Promise.withResolvers<void>();
    place.server.intercept = (request) => {
      const isReached = during === "login"
        ? request.path.includes("/auth/tokens")
        : request.path.includes(`/servers/${SERVER(2)}`);
      if (isReached) reached.resolve();
      return isReached && during === "login" ? new Promise(() => {}) : place.cloud.intercept(request);
    };
    await using program = startProgram({ dir: place.dir.path(), args: ["reconcile", "--apply"], permissions: NETWORK });
    await Promise.race([reached.promise, program.ended()]);
    const startedMs = performance.now();
    const { code } = await program.end("SIGTERM");
    assert.ok(performance.now() - startedMs < 5000);
    assert.equal(program.err, "Cannot finish the comparison: interrupted. Nothing was told\n");
    assert.deepEqual([code, program.out, place.recorded], [1, "", 0]);
  });
}
