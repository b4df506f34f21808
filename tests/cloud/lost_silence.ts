// Of some operations Nova says nothing, and of others a comparison must say nothing.
import { forceDown } from "../../tools/openstack/readiness.ts";
import { VERSIONED_ALONE } from "./notifying.ts";
import { QUICK, reconcile } from "./lost_accounts.ts";
import { lost, type LostCast } from "./lost_course.ts";
import { began, came, ended, went } from "./step.ts";
import { GONE, type ServerRef } from "./tenant.ts";
import type { Watch } from "./watch.ts";

export async function saysNothing(watch: Watch, cast: LostCast): Promise<void> {
  const { alice, bob, admin, cloud } = cast;
  await cloud.renotify(VERSIONED_ALONE);
  const servers: ServerRef[] = [];
  await watch.step({
    title: "versioned alone: boot servers that will be shelved, softly deleted, and stranded",
    unordered: true,
    act: async () => {
      for (const name of ["shelved-01", "soft-01"]) servers.push(await alice.boot({ name }));
      servers.push(await bob.boot({ name: "shelved-02" }));
      servers.push(await alice.boot({ name: "stranded-01", zone: "zone-retry" }));
      return servers.map(came);
    },
  });
  const [shelved, soft, gone, stranded] = servers as [ServerRef, ServerRef, ServerRef, ServerRef];
  const ip = await alice.makeFloatingIp();
  // Since the ledger was restored, numbers go on from that time.
  watch.primed(ip);
  await watch.step({
    title: "associate with the one that will be stranded",
    act: async () => {
      await alice.setFloatingIp(ip, { port_id: (await alice.portOf(stranded)).id });
      return [began(ip, stranded)];
    },
  });
  const { server } = await admin.nova("GET", `/servers/${stranded.id}`);
  const host = server["OS-EXT-SRV-ATTR:host"];
  let building: ServerRef;
  await watch.step({
    title: "shelve, delete softly, fail to boot, wait for a host, delete by force what no host has",
    before: [gone, stranded],
    act: async () => {
      await alice.act(shelved, { shelve: null }, "SHELVED_OFFLOADED");
      await alice.client.nova("DELETE", `/servers/${soft.id}`);
      await alice.becomes(soft, "SOFT_DELETED");
      const failed = await alice.request({ name: "failed-01", zone: "zone-abort" });
      await alice.becomes(failed, "ERROR");
      await bob.act(gone, { shelve: null }, "SHELVED_OFFLOADED");
      // Its host has it until then, and would say so.
      await bob.settles(gone);
      await bob.act(gone, { forceDelete: null }, GONE);
      await cloud.losesHost(host);
      await alice.act(stranded, { forceDelete: null }, GONE);
      // For the scheduler the host is there, as one is that died a moment ago.
      await forceDown(admin, host, false);
      building = await alice.request({ name: "building-01", zone: "zone-retry" });
      return [ended(ip, stranded)];
    },
  });
  await watch.settle();
  const keys = [gone, stranded].map(({ id }) => `server/${id}/deletion`);
  await reconcile(watch, "Alice sees her own project", {
    // Of her few servers, too many are not listed for an account that is new.
    args: ["--accept-scope"],
    openstack: { authUrl: cloud.authUrl, region: cloud.region, ...alice.client.account, ...QUICK },
    code: 3,
    keys: [`server/${stranded.id}/deletion`],
  });
  await reconcile(watch, "what Nova has not said", { code: 3, keys });
  await lost(watch, {
    title: "oss-watcher reconcile --apply tells what Nova has not said",
    act: async () => {
      await reconcile(watch, "apply it", { args: ["--apply"], code: 0, keys });
      return [went(gone), went(stranded)];
    },
  });
  await reconcile(watch, "all is told", { code: 0, keys: [] });
  await watch.step({
    title: "the host comes back, and builds what waits for it",
    act: async () => {
      await cloud.hasHostAgain(host);
      await alice.becomes(building, "ACTIVE");
      return [came(building)];
    },
  });
  await reconcile(watch, "nothing is new", { code: 0, keys: [] });
}
