import assert from "node:assert/strict";
import type { JsonObject, Notification } from "../../src/model/notification.ts";
import { came, notification, portIs, Story } from "../support/stories.ts";

const BORN = "2026-11-21T19:13:11.667Z";
const LATER = "2026-11-21T19:14:00.000Z";

const story = (...notifications: readonly Notification[]) => {
  const told = new Story({ follows: true });
  for (const one of notifications) told.tell(one);
  return told;
};
const updated = (server: string, payload: JsonObject, time = LATER) =>
  notification("compute.instance.update", { instance_id: server, state: "active", ...payload }, { time });
/** The port with the name that Neutron gave it. */
const named = (hostname: string) => {
  const dns_assignment = [{ hostname, ip_address: "10.0.0.5", fqdn: `${hostname}.example.org.` }];
  return portIs("1", { server: "a", more: { dns_name: hostname, dns_assignment } });
};
const BEFORE = [came("a", { hostname: "one" }, { time: BORN }), named("one")];

Deno.test("serverChanged() drops the DNS name of the former hostname", () => {
  const told = story(...BEFORE, updated("a", { hostname: "two" }));
  const { hostname, dnsName } = told.memory.server("a")!.snapshot;
  assert.deepEqual({ hostname, dnsName }, { hostname: "two", dnsName: null });
});

Deno.test("serverChanged() takes the DNS name of the new hostname from a port that has it before", () => {
  const told = story(...BEFORE, named("two"), updated("a", { hostname: "two" }));
  assert.equal(told.memory.server("a")!.snapshot.dnsName, "two.example.org");
});

Deno.test("serverChanged() takes the DNS name of the new hostname from a port that gets it later", () => {
  const told = story(...BEFORE, updated("a", { hostname: "two" }), named("two"));
  assert.equal(told.memory.server("a")!.snapshot.dnsName, "two.example.org");
});

Deno.test("serverChanged() keeps the DNS name where the hostname is the same, or an older one", () => {
  const dnsName = "one.example.org";
  assert.equal(story(...BEFORE, updated("a", { hostname: "one" })).memory.server("a")!.snapshot.dnsName, dnsName);
  const older = updated("a", { hostname: "zero" }, "2026-11-21T19:13:00.000Z");
  assert.equal(story(...BEFORE, older).memory.server("a")!.snapshot.dnsName, dnsName);
});

Deno.test("serverChanged() keeps the image of a server that is unshelved from a snapshot", () => {
  const image = (id: string) => ({
    image_ref_url: `http://glance/images/${id}`,
    image_meta: { base_image_ref: id, os_distro: "debian" },
  });
  const born = [came("a", { ...image("image-1") }, { time: BORN })];
  const spawning = { state: "shelved_offloaded", state_description: "spawning", ...image("snapshot") };
  const legacy = story(...born, updated("a", spawning)).memory.server("a")!.snapshot;
  const data = { uuid: "a", state: "shelved_offloaded", task_state: "spawning", image_uuid: "snapshot" };
  const message = notification("instance.update", { "nova_object.data": data }, { time: LATER });
  const versioned = story(...born, message).memory.server("a")!.snapshot;
  const kept = { imageId: "image-1", imageOsDistro: "debian" };
  for (const { imageId, imageOsDistro } of [legacy, versioned]) assert.deepEqual({ imageId, imageOsDistro }, kept);
});
