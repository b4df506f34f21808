// The ledger is put back to an earlier state.
import { until } from "../support/until.ts";
import type { LostCast, Stay } from "./lost_course.ts";
import { began, came, ended, went } from "./step.ts";
import type { ServerRef } from "./tenant.ts";
import type { Watch } from "./watch.ts";

/** As docs/OPERATIONS.md says. What happened since the backup was told, and is told again. */
export async function restoreTheLedger(
  watch: Watch,
  { alice, bob }: LostCast,
  { one, two, ports, ip }: Stay,
): Promise<void> {
  let going: ServerRef;
  await watch.step({
    title: "boot a server that goes after the backup",
    act: async () => {
      going = await bob.boot({ name: "backed-up" });
      return [came(going)];
    },
  });
  const { code, err } = await watch.run(["backup", "copy.db"]);
  if (code !== 0) watch.problems.push(`backup ended with ${code}: ${err}`);
  const since = watch.calls.length;
  let server: ServerRef;
  await watch.step({
    title: "boot a server after the backup",
    act: async () => {
      server = await alice.boot({ name: "after-backup" });
      return [came(server)];
    },
  });
  const fresh = await alice.makeFloatingIp(await alice.portOf(server!));
  await watch.step({
    title: "associate, move, delete after the backup",
    before: [one, going!],
    unordered: true,
    asCreated: ["Addresses"],
    // Of one server there are two, or none.
    except: ["FloatingIPs"],
    act: async () => {
      await alice.setFloatingIp(ip, { port_id: ports[1].id });
      await bob.delete(going);
      return [began(fresh, server), ended(ip, one), began(ip, two), went(going)];
    },
  });
  let brief: ServerRef;
  await watch.step({
    title: "boot a server that lives briefly after the backup",
    act: async () => {
      brief = await bob.boot({ name: "brief-02" });
      return [came(brief)];
    },
  });
  await watch.step({
    title: "delete it",
    before: [brief!],
    act: async () => {
      await bob.delete(brief);
      return [went(brief)];
    },
  });
  await watch.settle();
  await watch.stop();
  putBack(watch.path("copy.db"), watch.path("ledger.db"));
  const restored = watch.calls.length;
  watch.restored(since);
  await watch.listen();
  await watch.logged(/OpenStack and what targets were told differed: .* It is told now/);
  await watch.settle();
  const again = watch.calls.slice(restored).map(({ key }) => key);
  watch.acceptNumbers(restored, "after the ledger was restored");
  const wanted = [`server/${server!.id}/creation`, `server/${going!.id}/deletion`];
  const servers = again.filter((key) => key.startsWith("server/"));
  if (servers.toSorted().join() !== wanted.toSorted().join()) {
    watch.problems.push(`After the ledger was restored came ${servers.join(", ")}, not ${wanted.join(", ")}`);
  }
  // The gap of the start may need a comparison of its own.
  await until(() => watch.log.includes("Compared with OpenStack: in agreement"), 40_000).catch(() => {});
  await watch.step({
    title: "move after the ledger was restored",
    before: [two],
    asCreated: ["Addresses"],
    except: ["FloatingIPs"],
    act: async () => {
      await alice.setFloatingIp(ip, { port_id: ports[0].id });
      return [ended(ip, two), began(ip, one)];
    },
  });
}

function putBack(copy: string, ledger: string): void {
  for (const end of ["-wal", "-shm"]) {
    try {
      Deno.removeSync(ledger + end);
    } catch (error) {
      // A service that was stopped leaves neither.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  Deno.renameSync(copy, ledger);
}
