// Where Nova deletes softly: a server that can be restored has not gone.
import type { Cast } from "./cast.ts";
import { GONE, type ServerRef } from "./tenant.ts";
import { began, came, ended, went } from "./step.ts";
import type { Watch } from "./watch.ts";

export async function takeSoftCourse(watch: Watch, { alice, bob }: Cast): Promise<void> {
  const ip = await alice.makeFloatingIp();
  let server: ServerRef;
  await watch.step({
    title: "boot a server",
    act: async () => {
      server = await alice.boot({ name: "soft", metadata: { owner: "alice" }, description: "a description" });
      return [came(server)];
    },
  });
  await watch.step({
    title: "associate",
    act: async () => {
      await alice.setFloatingIp(ip, { port_id: (await alice.portOf(server)).id });
      return [began(ip, server)];
    },
  });
  await watch.step({
    title: "delete it softly, restore it, delete it again",
    act: async () => {
      await alice.client.nova("DELETE", `/servers/${server.id}`);
      await alice.becomes(server, "SOFT_DELETED");
      await alice.act(server, { restore: null }, "ACTIVE");
      await alice.client.nova("DELETE", `/servers/${server.id}`);
      await alice.becomes(server, "SOFT_DELETED");
      return [];
    },
  });
  await watch.step({
    title: "delete it for good",
    before: [server!],
    act: async () => {
      await alice.act(server, { forceDelete: null }, GONE);
      return [ended(ip, server), went(server)];
    },
  });
  let dual: ServerRef;
  await watch.step({
    title: "boot a dual-stack server",
    act: async () => {
      dual = await bob.boot({ name: "dual-stack", nics: [bob.network(1)] });
      return [came(dual)];
    },
  });
  await watch.step({
    title: "delete it for good at once",
    before: [dual!],
    act: async () => {
      await bob.act(dual, { forceDelete: null }, GONE);
      return [went(dual)];
    },
  });
}
