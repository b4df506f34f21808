// Servers that come, change and go, and the events that must come of it, written by hand.
import { type Cast, METADATA, type Pair } from "./cast.ts";
import { began, came, went } from "./step.ts";
import type { ServerRef } from "./tenant.ts";
import type { Watch } from "./watch.ts";

const HOSTILE = {
  Owner: "alice,dc=example",
  additional_users: " bob ;; carol,,bob,*)(uid=*",
  description: 'line "one" \\ <b>\r\nBcc: all@example.org \u001b[2J',
  application_name: "ünïcode – ✓",
  empty: "",
  long: "v".repeat(255),
  __proto__x: "{{7*7}} $(id) `id`",
  "a b:c_d-e.f": "key with odd characters",
};

/** Two servers of Alice that stay for the rest, others that come and go. */
export async function comeAndGo(watch: Watch, { alice, bob }: Pick<Cast, "alice" | "bob">): Promise<Pair> {
  const pair: ServerRef[] = [];
  await watch.step({
    title: "boot a server, with metadata",
    act: async () => {
      const description = "Beam control, room 4";
      pair.push(await alice.boot({ name: "beam-ctl-01", flavor: "m1.small", metadata: METADATA, description }));
      return [came(pair[0]!)];
    },
  });
  await watch.step({
    title: "boot a server with two NICs, one of them dual-stack",
    act: async () => {
      const nics = [alice.network(0), alice.network(1)];
      pair.push(await alice.boot({ name: "Beam CTL 02", image: "plain-image", flavor: "c2.large", nics }));
      return [came(pair[1]!)];
    },
  });
  let hostile: ServerRef;
  await watch.step({
    title: "boot a server of another project, with a hostile name, metadata and description",
    act: async () => {
      const name = 'a,b=c*)(uid=*"; DROP TABLE hosts; -- <script>$(id)`id`';
      const form = { image: "windows-2022", metadata: HOSTILE, description: "naïve ☃ description" };
      hostile = await bob.boot({ name, ...form });
      return [came(hostile)];
    },
  });
  await watch.step({
    title: "associate a floating IP of the other project",
    act: async () => [began(await bob.makeFloatingIp(await bob.portOf(hostile)), hostile)],
  });
  await watch.step({
    title: "boot three with one request",
    unordered: true,
    act: async () => (await bob.bootMany({ name: "batch" }, 3)).map(came),
  });
  return [pair[0]!, pair[1]!];
}

/** What changes a server's data in its life, and who deletes it. */
export async function change(watch: Watch, { alice, bob, carol }: Cast): Promise<void> {
  let server: ServerRef;
  await watch.step({
    title: "boot a server that will change",
    act: async () => {
      server = await alice.boot({ name: "changing", metadata: METADATA, description: "before" });
      return [came(server)];
    },
  });
  await watch.step({
    title: "rename, other metadata, stop, start",
    act: async () => {
      await alice.rename(server, "changed");
      await alice.setMetadata(server, { OWNER: "bob", description: "as changed" });
      await alice.act(server, { "os-stop": null }, "SHUTOFF");
      await alice.act(server, { "os-start": null }, "ACTIVE");
      return [];
    },
  });
  await watch.step({
    title: "delete a server that changed",
    before: [server!],
    act: async () => {
      await alice.delete(server);
      return [went(server)];
    },
  });
  let carols: ServerRef;
  await watch.step({
    title: "boot a server by another user of the project",
    act: async () => {
      carols = await carol.boot({ name: "shop-02" });
      return [came(carols)];
    },
  });
  await watch.step({
    title: "delete a server by another user than its owner",
    before: [carols!],
    act: async () => {
      await bob.delete(carols);
      return [went(carols)];
    },
  });
  let stillborn: ServerRef;
  await watch.step({
    title: "boot a server that no host can have",
    act: async () => {
      stillborn = await alice.request({ name: "too-big", flavor: "x9.huge" });
      await alice.becomes(stillborn, "ERROR");
      return [];
    },
  });
  await watch.step({
    title: "delete a server that never had a host",
    before: [stillborn!],
    act: async () => {
      await alice.delete(stillborn);
      return [went(stillborn)];
    },
  });
}
