// `oss-watcher reconcile` with accounts and regions that do not show what the ledger remembers:
// nothing is concluded from that.
import type { OpenStackOptions } from "../../src/model/config.ts";
import { addRegion } from "../../tools/openstack/second_region.ts";
import { progress } from "../../tools/packages.ts";
import { lost, type LostCast, published, type Stay } from "./lost_course.ts";
import { came, went } from "./step.ts";
import type { ServerRef } from "./tenant.ts";
import type { Watch } from "./watch.ts";

export const QUICK = { reconcile: { confirmSeconds: 2 } };

interface Wanted {
  readonly code: number;
  /** Keys of the events that it must show, and no others. @default none */
  readonly keys?: readonly string[];
  /** What it must say exactly once, line breaks aside. */
  readonly said?: readonly RegExp[];
  readonly args?: readonly string[];
  /** Another account than the service's. */
  readonly openstack?: OpenStackOptions;
}

/** Runs the command, and compares what it says with what it must say. */
export async function reconcile(
  watch: Watch,
  title: string,
  { code, keys = [], said = [], args = [], openstack }: Wanted,
): Promise<void> {
  const end = await watch.run(["reconcile", ...args], openstack === undefined ? {} : { openstack });
  const text = `${end.out} ${end.err}`.replace(/\s+/g, " ");
  const shown = [...end.out.matchAll(/→ (\S+)/g)].map(([, key]) => key);
  const wrong = [
    ...(end.code === code ? [] : [`ended with ${end.code}, not ${code}`]),
    ...(shown.toSorted().join() === keys.toSorted().join()
      ? []
      : [`shows ${shown.join(", ")}, not ${keys.join(", ")}`]),
    ...said.filter((pattern) => text.split(pattern).length !== 2).map((pattern) => `does not say once ${pattern}`),
  ];
  progress(`  reconcile: ${title}: exit code ${end.code}, ${shown.length} events`);
  watch.problems.push(...wrong.map((one) => `reconcile, ${title}: ${one}: ${end.out}\n${end.err}`));
}

/** A member of one project sees its resources alone. */
export async function seeLess(watch: Watch, { alice, bob, cloud: { authUrl, region, rabbit } }: LostCast, stay: Stay) {
  const { shop } = stay;
  await reconcile(watch, "an account that is a member of one project", {
    openstack: { authUrl, region, ...alice.client.account, ...QUICK },
    code: 0,
    said: [
      /The account is not proven to see the resources of all projects/,
      new RegExp(`server ${shop.id}: it is not listed, but our account is not proven to see`),
      /: in agreement/,
    ],
  });
  let server: ServerRef;
  await watch.step({
    title: "boot a server of the other project",
    act: async () => {
      server = await bob.boot({ name: "shop-03" });
      return [came(server)];
    },
  });
  await lost(watch, {
    title: "the service compares with its own account as before",
    before: [server!],
    act: async () => {
      await watch.stop();
      await rabbit.ctl("delete_queue", watch.queue);
      await bob.delete(server);
      const other = await bob.boot({ name: "shop-04" });
      await published(bob, server, other);
      await watch.listen();
      return [went(server), came(other)];
    },
  });
}

/** Regions of the same catalog: the Nova of one has no server, that of the other is none. */
export async function seeOtherRegions(watch: Watch, { cloud, admin }: LostCast): Promise<void> {
  const account = { authUrl: cloud.authUrl, ...cloud.adminAccount, ...QUICK };
  {
    await using _region = await cloud.addEmptyRegion("RegionTwo");
    await reconcile(watch, "a region whose Nova is empty", {
      openstack: { ...account, region: "RegionTwo" },
      code: 1,
      said: [
        /It is not seen as in the last complete comparison: .*region "RegionOne" → "RegionTwo"/,
        /Nothing is concluded/,
      ],
    });
    await reconcile(watch, "no region, where there are two", {
      openstack: account,
      code: 1,
      said: [/it is in the regions .* Set the region/],
    });
  }
  await using page = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response("<h1>Not found</h1>", { status: 404, headers: { "content-type": "text/html" } }),
  );
  await using _region = await addRegion("RegionThree", `http://127.0.0.1:${page.addr.port}/v2.1`, admin);
  await reconcile(watch, "a region whose Nova is a web server", {
    openstack: { ...account, region: "RegionThree" },
    code: 1,
    said: [/Cannot compare with OpenStack: Cannot ask Nova at .*: 404, .* Check the catalog's URL/],
  });
}
