// A service that is new to a cloud full of servers: what was there is known without a word, what happens from then on is announced.
import type { Cast } from "./cast.ts";
import type { FloatingIpRef, ServerRef } from "./tenant.ts";
import { began, came, ended, type Expected, went } from "./step.ts";
import type { Watch } from "./watch.ts";

export async function changeUnderPriming(watch: Watch, { alice, bob }: Cast): Promise<void> {
  const there = await alice.boot({ name: "there-01", metadata: { owner: "alice" }, description: "was there" });
  const other = await bob.boot({ name: "there-02", nics: [bob.network(0), bob.network(1)] });
  const third = await alice.boot({ name: "there-03", nics: [alice.network(1)] });
  const port = await alice.portOf(third);
  const ip = await alice.makeFloatingIp(await alice.portOf(there));
  const second = await bob.makeFloatingIp(await bob.portOf(other));
  const free = await alice.makeFloatingIp();
  watch.primed(ip, second, free);

  const during: ServerRef[] = [];
  const leaving = await alice.boot({ name: "leaving" });
  await watch.step({
    title: "start, while servers come and go and a floating IP is associated",
    unordered: true,
    act: async () => {
      const left = alice.delete(leaving);
      const listening = watch.listen();
      during.push(await alice.request({ name: "during-01" }));
      await listening;
      // It is heard, whether it is read, too, or not.
      await alice.setFloatingIp(free, { port_id: port.id });
      during.push(await alice.request({ name: "during-02" }));
      for (const server of during) await alice.becomes(server, "ACTIVE");
      await left;
      await watch.allow(went(leaving), "a server that left at the start");
      return [began(free, third), ...during.map(came)];
    },
  });
  await watch.step({
    title: "move it",
    before: [third],
    act: async () => {
      await alice.setFloatingIp(free, { port_id: (await alice.portOf(during[0]!)).id });
      return [ended(free, third), began(free, during[0]!)];
    },
  });
  await watch.step({
    title: "edit a floating IP that was there",
    act: async () => {
      await alice.setFloatingIp(ip, { description: "only this changed" });
      return [];
    },
  });
  await watch.step({
    title: "move a floating IP that was there",
    before: [there],
    act: async () => {
      await alice.setFloatingIp(ip, { port_id: (await alice.portOf(during[1]!)).id });
      return [ended(ip, there), began(ip, during[1]!)];
    },
  });
  await remove(watch, "delete a server that was there", there, [], () => alice.delete(there));
  await remove(watch, "delete another, with its floating IP", other, [second], () => bob.delete(other));
  await remove(watch, "delete one that came meanwhile", during[0]!, [free], () => alice.delete(during[0]!));
  await remove(watch, "delete the other", during[1]!, [ip], () => alice.delete(during[1]!));
}

function remove(
  watch: Watch,
  title: string,
  server: ServerRef,
  ips: readonly FloatingIpRef[],
  act: () => Promise<void>,
): Promise<void> {
  return watch.step({
    title,
    before: [server],
    act: async (): Promise<readonly Expected[]> => {
      await act();
      return [...ips.map((ip) => ended(ip, server)), went(server)];
    },
  });
}
