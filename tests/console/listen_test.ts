import assert from "node:assert/strict";
import { connect } from "node:tls";
import { serveConsole } from "../../src/console/listen.ts";
import type { ConsoleServerOptions } from "../../src/console/server_options.ts";
import { KeptLog } from "../support/loggers.ts";
import { until } from "../support/until.ts";
import { VirtualClock } from "../support/virtual_clock.ts";
import { TestPki } from "../wire/pki.ts";

/** The fingerprint of the certificate that a server shows. */
function fingerprint(port: number, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, ca, servername: "localhost" }, () => {
      resolve(socket.getPeerCertificate().fingerprint);
      socket.destroy();
    });
    socket.on("error", reject);
  });
}

Deno.test("serveConsole() takes a renewed certificate", async () => {
  await using pki = await TestPki.make();
  const [old, renewed] = [await pki.issue("localhost"), await pki.issue("renewed", "DNS:localhost")];
  const ca = await Deno.readTextFile(pki.caFile);
  const [log, clock, stop] = [new KeptLog(), new VirtualClock(), new AbortController()];
  const console = { port: 0, tls: { certFile: old.certFile, keyFile: old.keyFile } };
  const served = serveConsole({ console, clock, log } as unknown as ConsoleServerOptions, stop.signal);
  const port = async (times: number) =>
    await until(() => [...log.lines.join("\n").matchAll(/Console at https:\/\/127\.0\.0\.1:(\d+)/g)][times - 1]?.[1]);
  const before = await fingerprint(Number(await port(1)), ca);
  await Deno.rename(renewed.certFile, old.certFile);
  await Deno.rename(renewed.keyFile, old.keyFile);
  await clock.advance(60_000);
  assert.notEqual(await fingerprint(Number(await port(2)), ca), before);
  stop.abort();
  await served;
});
