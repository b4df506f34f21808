import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { OpenStackApi } from "../../src/openstack/api.ts";
import { SILENT } from "../support/loggers.ts";
import { OpenStackServer } from "../support/openstack_server.ts";
import { VirtualClock } from "../support/virtual_clock.ts";
import { TestPki } from "../wire/pki.ts";
import { credentialsFor, unavailable } from "./opened.ts";

Deno.test("Keystone that lets in only whom its authority knows is asked with the client certificate", async () => {
  await using pki = await TestPki.make();
  await using cloud = new OpenStackServer();
  const { cert, key } = await pki.issue("localhost");
  const ca = await Deno.readTextFile(pki.caFile);
  const door = createServer({ cert, key, ca, requestCert: true, rejectUnauthorized: true });
  // Behind the door is the recorded Keystone.
  door.on("request", async (request, answer) => {
    const chunks: Uint8Array[] = await Array.fromAsync(request);
    const { status, headers, body } = await fetch(new URL(request.url ?? "/", cloud.authUrl), {
      method: request.method ?? "GET",
      headers: { "content-type": "application/json", "x-auth-token": String(request.headers["x-auth-token"] ?? "") },
      ...chunks.length > 0 && { body: new Blob(chunks as Uint8Array<ArrayBuffer>[]) },
    });
    answer.writeHead(status, Object.fromEntries(headers));
    answer.end(body === null ? "" : new Uint8Array(await new Response(body).arrayBuffer()));
  });
  door.listen(0, "127.0.0.1");
  await once(door, "listening");
  const authUrl = `https://localhost:${(door.address() as AddressInfo).port}/v3`;
  try {
    // Whom it does not know first: a connection that is open, or a TLS session, would let anybody in afterwards.
    const shared = { clock: new VirtualClock(), log: SILENT };
    const strange = { ...credentialsFor(authUrl), tls: { caFile: pki.caFile } };
    await using unknown = new OpenStackApi({ credentials: strange, ...shared });
    await unavailable(unknown.check());

    const { certFile, keyFile } = await pki.issue("watcher");
    await using known = new OpenStackApi({
      credentials: { ...strange, tls: { caFile: pki.caFile, certFile, keyFile } },
      ...shared,
    });
    await known.check();
  } finally {
    door.closeAllConnections();
    door.close();
  }
});
