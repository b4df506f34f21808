/**
 * A stand-in for OpenStack in a process of its own, so that its work is not counted as the
 * service's: it gives recorded answers of a real cloud, each after MILLISECONDS. It prints its
 * address as a line of JSON. When its input ends it prints the number of questions to Nova, Neutron
 * and Glance, and ends.
 *
 *     deno run -A bench/cloud.ts MILLISECONDS
 *
 * @module
 */
// deno-lint-ignore-file no-console -- lines on the terminal are how it is talked to

import { OpenStackServer, RECORDED } from "../tests/support/openstack_server.ts";

const answerMs = Number(Deno.args[0]);
await using cloud = new OpenStackServer();
let questions = 0;

cloud.intercept = async ({ service, path }) => {
  if (service !== "identity") questions++;
  // The recorded requests are thousands, and nobody reads them.
  cloud.requests.length = 0;
  await new Promise((resolve) => setTimeout(resolve, answerMs));
  // Each server of the load is the recorded one, under another id.
  const server = /^\/v2\.1\/servers\/([0-9a-f]{8})-/.exec(path)?.[1];
  return server === undefined ? undefined : cloud.recorded("server-active-2.90", (body) => renamed(body, server));
};

console.log(JSON.stringify({ authUrl: cloud.authUrl }));
for await (const _ of Deno.stdin.readable) { /* until it ends */ }
console.log(JSON.stringify({ questions }));

function renamed(body: string, hex: string): string {
  return body.replaceAll(RECORDED.server, `${hex}${RECORDED.server.slice(8)}`);
}
