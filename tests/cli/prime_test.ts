import assert from "node:assert/strict";
import { openOperations } from "../../src/ledger/sqlite/operations.ts";
import { ownLedger } from "../../src/ledger/sqlite/open.ts";
import { openDatabase } from "../../src/ledger/sqlite/database.ts";
import { idOf, MadeCloud } from "../support/made_cloud.ts";
import { OpenStackServer } from "../support/openstack_server.ts";
import { ProgramDirectory, type ProgramEnd, runProgram } from "../support/program.ts";
import { matchesSnapshot } from "../support/snapshot.ts";

const NETWORK = ["--allow-read", "--allow-write", "--allow-env", "--allow-net"];
const PASSWORD = "hush-4711";

/** A cloud, and a directory with a configuration for it and a ledger. */
class Place implements AsyncDisposable {
  readonly server = new OpenStackServer();
  readonly dir = new ProgramDirectory({});
  cloud!: MadeCloud;

  static async open(size = { servers: 30, floatingIps: 2 }): Promise<Place> {
    const place = new Place();
    place.cloud = await MadeCloud.behind(place.server, size);
    place.configure({ authUrl: place.server.authUrl });
    openDatabase(place.dir.path("ledger.db"), { create: true }).close();
    return place;
  }

  configure(openstack: { readonly authUrl: string } | undefined): void {
    const section = openstack && { ...openstack, user: "admin", password: PASSWORD, project: "admin" };
    this.dir.write(
      "config.ts",
      `export default { events: { creation: ["compute.instance.create.end"], deletion: ["compute.instance.delete.end"] }, plugins: [{ name: "P", notify() {} }], ledger: { file: "./ledger.db" },
        openstack: ${JSON.stringify(section)} };`,
    );
  }

  async prime(...args: readonly string[]): Promise<ProgramEnd> {
    const end = await runProgram({ dir: this.dir.path(), args: ["prime", ...args], permissions: NETWORK });
    assert.ok(!end.out.includes(PASSWORD) && !end.err.includes(PASSWORD));
    return end;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    this.dir[Symbol.dispose]();
  }
}

Deno.test("prime remembers what the ledger lacks and lists it, within 80 columns", async () => {
  await using place = await Place.open();
  place.cloud.lists.servers[1]!["OS-EXT-SRV-ATTR:hostname"] = "\x1b[2J\u202e\r\nevil";

  const { code, out } = await place.prime();

  assert.equal(code, 0);
  assert.deepEqual(out.split("\n").filter((line) => line.length > 80), []);
  await matchesSnapshot(out, new URL("snapshots/prime.first.txt", import.meta.url));
  await using operations = openOperations(place.dir.path("ledger.db"));
  assert.deepEqual((await operations.trail.read({ limit: 9 })).map(({ action }) => action), ["prime"]);
});

Deno.test("prime tells what was missing and what is gone, as text and as JSON", async () => {
  await using place = await Place.open({ servers: 3, floatingIps: 2 });
  assert.equal((await place.prime()).code, 0);
  forgetAndRemove(place);
  const text = await place.prime();
  forgetAndRemove(place);
  const json = await place.prime("--json");
  const nothing = await place.prime();

  assert.deepEqual([text.code, json.code, nothing.code], [0, 0, 0]);
  await matchesSnapshot(text.out, new URL("snapshots/prime.again.txt", import.meta.url));
  await matchesSnapshot(json.out, new URL("snapshots/prime.again.json.txt", import.meta.url));
  assert.match(nothing.out, /^servers +2 +0 +1$/m);
});

Deno.test("prime finds what Neutron counts anew since its database was restored, once", async () => {
  await using place = await Place.open({ servers: 1, floatingIps: 1 });
  assert.equal((await place.prime()).code, 0);
  {
    using database = openDatabase(place.dir.path("ledger.db"), { create: false });
    for (const table of ["floatingip", "port"]) {
      database.exec(`UPDATE ${table} SET data = json_set(data, '$.revision', 99)`);
    }
  }
  const [first, second] = [await place.prime(), await place.prime()];

  await matchesSnapshot(first.out, new URL("snapshots/prime.counted_anew.txt", import.meta.url));
  assert.doesNotMatch(second.out, /restored/);
});

Deno.test("prime works beside a running service, and sends nothing", async () => {
  await using place = await Place.open({ servers: 3, floatingIps: 2 });
  using running = ownLedger(place.dir.path("ledger.db"));

  const { code, err } = await place.prime();

  assert.equal(code, 0, err);
  const { database } = running;
  assert.equal(database.prepare("SELECT count(*) AS n FROM server").get()?.["n"], 3);
  for (const table of ["event", "delivery", "notification", "priming"]) {
    assert.equal(database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.["n"], 0, table);
  }
});

Deno.test("prime says what cannot be told where the account does not see all projects", async () => {
  await using place = await Place.open({ servers: 6, floatingIps: 2 });
  place.cloud.isMember = true;

  const { code, out, err } = await place.prime();

  assert.equal(code, 0);
  assert.match(out, /^servers +2 +2 +-$/m);
  assert.match(out, /\n-: deleted resources cannot be found/);
  assert.match(err, /WARNING \(openstack\) Nova does not let our account list the servers of all projects \(403/);
});

Deno.test("prime refuses what it cannot do, on one line", async () => {
  await using place = await Place.open({ servers: 1, floatingIps: 0 });
  place.configure({ authUrl: "http://127.0.0.1:1/v3" });
  const down = await place.prime();
  place.configure(undefined);
  const none = await place.prime();
  place.configure({ authUrl: place.server.authUrl });
  place.server.login = "auth-wrong-password";
  const refused = await place.prime();
  await Deno.remove(place.dir.path("ledger.db"));
  const absent = await place.prime();

  const ends = [down, none, refused, absent];
  assert.deepEqual(ends.map(({ code, out }) => [code, out]), ends.map(() => [1, ""]));
  const last = ({ err }: ProgramEnd) => err.trimEnd().split("\n").at(-1) ?? "";
  assert.match(last(down), /^Cannot ask Keystone at http:\/\/127\.0\.0\.1:1\/v3/);
  assert.match(last(none), /^Cannot ask OpenStack: config.ts has no `openstack` section\. Add one/);
  assert.match(last(refused), /^Cannot log in at Keystone .*: 401/);
  assert.match(last(absent), /^Cannot open the ledger ".*": it is not there\. Has the service run yet\?$/);
});

/** The ledger forgets a server and a floating IP; another server goes from the cloud, and nobody says so. */
function forgetAndRemove({ cloud, dir }: Place): void {
  using database = openDatabase(dir.path("ledger.db"), { create: false });
  database.prepare("DELETE FROM server WHERE id = ?").run(idOf("5e", 0));
  database.prepare("DELETE FROM floatingip WHERE id = ?").run(idOf("f1", 1));
  if (cloud.lists.servers.length === 3) cloud.remove("servers", idOf("5e", 2));
}
