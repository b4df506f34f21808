import assert from "node:assert/strict";
import { startPostgres } from "../../tools/postgres/server.ts";
import { startRabbit } from "../../tools/rabbitmq.ts";
import { TmpfsDisk } from "../support/tmpfs_disk.ts";
import { Cluster } from "./cluster.ts";

/** PostgreSQL's data are 50 MiB in the beginning. */
const SIZE_MIB = 112;

const canMount = await TmpfsDisk.isAllowed();

Deno.test({
  name: `a disk that is full under PostgreSQL is told, and nothing is lost until there is room again${
    canMount ? "" : " (skipped: mounting takes root)"
  }`,
  ignore: !canMount,
  async fn() {
    await using disk = await TmpfsDisk.mount(SIZE_MIB);
    const settings = { wal_keep_size: 0, min_wal_size: "32MB", max_wal_size: "48MB" };
    await using server = await startPostgres({ dataDir: disk.dir, settings });
    await using rabbit = await startRabbit();
    await using cluster = await Cluster.open({ rabbit, url: server.url, plugins: ["A", "B"] });
    await cluster.start("one");
    await cluster.start("two");
    await cluster.publish(10);
    await cluster.delivered();
    await disk.fill();
    const told =
      /ERROR \(ledger\) Cannot write the ledger: PostgreSQL refuses: could not extend file .*No space left on device \(SQLSTATE 53100\)/;
    for (let publishes = 0; !told.test(cluster.logs); publishes++) {
      assert.ok(publishes < 100, cluster.logs);
      await cluster.publish(10);
    }
    await disk.empty();
    await cluster.until(() => cluster.logs.includes("The ledger can be written again"));
    await cluster.publish(10);
    await cluster.delivered();
    cluster.assertRight();
    assert.equal((await cluster.processes()).length, 2);
  },
});
