import assert from "node:assert/strict";
import { openDatabase } from "../../src/ledger/sqlite/database.ts";
import { openOperations } from "../../src/ledger/sqlite/operations.ts";
import { SqliteLedger } from "../../src/ledger/sqlite/ledger.ts";
import { deliverAll, tell } from "../support/decided_ledger.ts";
import { ProgramDirectory, type ProgramEnd, READ_WRITE, runProgram } from "../support/program.ts";
import { matchesSnapshot } from "../support/snapshot.ts";
import { came, floatingIpIs, portCame, went } from "../support/stories.ts";

const PASSWORD = "hush-4711";
const HOSTILE = "\x1b[2J\u202e\r\nevil";

/** Plugins whose targets are files of this directory. */
const PLUGINS = `
  const read = async (name) => JSON.parse(await Deno.readTextFile(new URL(name, import.meta.url)));
  class Held {
    name = "Held";
    notify() {}
    async *list() {
      yield* await read("held.json");
    }
    expected(delivered) {
      const { detail } = delivered.at(-1);
      return [{ subject: "server", id: detail.ID, fingerprint: detail.FQDN ?? "" }];
    }
  }
  class Down extends Held {
    name = "Down";
    async *list() {
      throw new Error("Cannot list https://user:${PASSWORD}@cmdb.example.com/: connection refused\\x1b[2J");
    }
  }
  class Confused extends Held {
    name = "Confused";
    expected() {
      throw new Error("Cannot read https://user:${PASSWORD}@cmdb.example.com/");
    }
  }
  class Blind {
    name = "Blind";
    notify() {}
  }
`;

/** A directory with a ledger in which everything was delivered to three plugins. */
class Place implements Disposable {
  readonly dir = new ProgramDirectory({});

  static async open(plugins: readonly string[] = ["Held"]): Promise<Place> {
    const place = new Place();
    const made = plugins.map((name) => `new ${name}()`);
    place.dir.write(
      "config.ts",
      `${PLUGINS}
      export default { events: { creation: ["compute.instance.create.end"], deletion: ["compute.instance.delete.end"] },
        plugins: [${made.join(", ")}], ledger: { file: "./ledger.db" } };`,
    );
    using database = openDatabase(place.dir.path("ledger.db"), { create: true });
    const ledger = new SqliteLedger(database, () => 1);
    await ledger.activate(plugins);
    const opened = { ledger, now: 1 };
    await tell(
      opened,
      came("a", { hostname: "web-a" }),
      came("b", { hostname: HOSTILE }),
      came("c", { hostname: "web-c" }),
    );
    await tell(opened, came("gone", { hostname: "old" }), went("gone", { hostname: "old" }));
    await tell(opened, portCame("port-c", { server: "c" }), floatingIpIs("f1", { port: "port-c", server: "c" }));
    for (const plugin of plugins) await deliverAll(opened, { plugin });
    place.hold({ a: "web-a", b: HOSTILE, c: "web-c" });
    return place;
  }

  hold(held: Readonly<Record<string, string>>): void {
    const listed = Object.entries(held).map(([id, fingerprint]) => ({ subject: "server", id, fingerprint }));
    this.dir.write("held.json", JSON.stringify(listed));
  }

  async audit(...args: readonly string[]): Promise<ProgramEnd> {
    const end = await runProgram({ dir: this.dir.path(), args: ["audit", ...args], permissions: READ_WRITE });
    assert.ok(!`${end.out}${end.err}`.includes(PASSWORD));
    return end;
  }

  [Symbol.dispose](): void {
    this.dir[Symbol.dispose]();
  }
}

Deno.test("audit says that all is as it was delivered, with exit code 0", async () => {
  using place = await Place.open();
  const { code, out, err } = await place.audit();
  assert.deepEqual([code, err], [0, ""]);
  assert.equal(out, "Held: holds 3, as delivered 3, missing 0, orphaned 0, different 0\n");
});

Deno.test("audit shows what differs within 80 columns, as text and as JSON, with exit code 3", async () => {
  using place = await Place.open();
  place.hold({ b: "by hand", c: "web-c", gone: "old", [`nobody's ${HOSTILE}`]: "by hand" });
  const [text, json] = [await place.audit(), await place.audit("--json")];
  assert.deepEqual([text.code, json.code, text.err, json.err], [3, 3, "", ""]);
  assert.deepEqual(text.out.split("\n").filter((line) => line.length > 80), []);
  await matchesSnapshot(text.out, new URL("snapshots/audit.found.txt", import.meta.url));
  await matchesSnapshot(json.out, new URL("snapshots/audit.found.json.txt", import.meta.url));
});

Deno.test("audit --apply opens deliveries, says what it cannot repair, and does not judge what waits", async () => {
  using place = await Place.open();
  place.hold({ b: "by hand", c: "web-c", gone: "old", "nobody's": "by hand" });
  const applied = await place.audit("--apply");
  assert.equal(applied.code, 3);
  await matchesSnapshot(applied.out, new URL("snapshots/audit.applied.txt", import.meta.url));
  const again = await place.audit();
  assert.equal(again.code, 3);
  assert.match(again.out, /^Held: holds 4, as delivered 1, missing 0, orphaned 1, different 0$/m);
  assert.match(again.out, /^ {2}not judged: \d whose deliveries wait$/m);
});

Deno.test("audit --apply ends with exit code 0 when all that differs is delivered again", async () => {
  using place = await Place.open();
  place.hold({ a: "web-a", b: HOSTILE });
  const { code, out } = await place.audit("--apply");
  assert.equal(code, 0);
  assert.match(out, /^ {2}the service delivers again: 2 events, 0 refused$/m);
  await using operations = openOperations(place.dir.path("ledger.db"));
  const trail = await operations.trail.read({ limit: 9 });
  assert.deepEqual(trail.map(({ action, what }) => [action, what]), [["audit", "repairs of Held"]]);
});

Deno.test("audit goes on with the others when a target cannot be listed, with exit code 1", async () => {
  using place = await Place.open(["Down", "Blind", "Held"]);
  const [all, json, blind] = [await place.audit(), await place.audit("--json"), await place.audit("--plugin", "Blind")];
  assert.deepEqual([all.code, json.code, blind.code], [1, 1, 1]);
  await matchesSnapshot(all.out, new URL("snapshots/audit.failed.txt", import.meta.url));
  await matchesSnapshot(json.out, new URL("snapshots/audit.failed.json.txt", import.meta.url));
  const held = await place.audit("--plugin", "Held", "--plugin", "Held");
  assert.deepEqual([held.code, held.out.split("\n").length], [0, 2]);
});

Deno.test("audit ends with exit code 0 when one of several plugins has no list", async () => {
  using place = await Place.open(["Blind", "Held"]);
  const { code, out } = await place.audit();
  assert.equal(code, 0);
  assert.match(out, /^Blind: not listed: the plugin has no `list` and `expected`$/m);
});

Deno.test("audit refuses what it cannot do, on one line", async () => {
  using place = await Place.open();
  const unknown = await place.audit("--plugin", "Hold");
  const usage = await place.audit("--aply");
  await Deno.remove(place.dir.path("ledger.db"));
  const absent = await place.audit();
  assert.deepEqual([unknown.code, usage.code, absent.code], [1, 2, 1]);
  assert.equal(
    unknown.err,
    'Cannot audit the plugin "Hold": the configuration has Held; did you mean "Held"?\n',
  );
  assert.match(usage.err, /^Cannot read the command line: unknown option '--aply'; did you mean --apply/);
  assert.match(absent.err, /^Cannot open the ledger ".*": it is not there\. Has the service run yet\?\n$/);
});

Deno.test("audit hides secrets in what a plugin's `expected` fails with", async () => {
  using place = await Place.open(["Confused"]);
  for (const args of [[], ["--json"]]) {
    const { out } = await place.audit(...args);
    assert.match(out, /Cannot\s+read/);
  }
});
