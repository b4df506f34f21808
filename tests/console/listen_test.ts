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

Deno.test("serveConsole() takes a renewed certificate, at the same port", async () => {
  await using pki = await TestPki.make();
  const [old, renewed] = [await pki.issue("localhost"), await pki.issue("renewed", "DNS:localhost")];
  const ca = await Deno.readTextFile(pki.caFile);
  const [log, clock, stop] = [new KeptLog(), new VirtualClock(), new AbortController()];
  const console = { port: 0, tls: { certFile: old.certFile, keyFile: old.keyFile } };
  const loaded = { config: { ledger: { file: `${old.certFile}.db` } } };
  const served = serveConsole({ console, loaded, clock, log } as unknown as ConsoleServerOptions, stop.signal);
  const port = async (times: number) =>
    await until(() => [...log.lines.join("\n").matchAll(/Console at https:\/\/127\.0\.0\.1:(\d+)/g)][times - 1]?.[1]);
  const first = Number(await port(1));
  const before = await fingerprint(first, ca);
  await Deno.rename(renewed.certFile, old.certFile);
  await Deno.rename(renewed.keyFile, old.keyFile);
  await clock.advance(60_000);
  assert.equal(Number(await port(2)), first);
  assert.notEqual(await fingerprint(first, ca), before);
  stop.abort();
  await served;
});

Deno.test("a console that cannot begin answers with all headers, tells the log once, and begins when it can", async () => {
  const dir = await Deno.makeTempDir();
  // A key that cannot be read: it is a folder.
  await Deno.mkdir(`${dir}/console.key`);
  const [log, clock, stop] = [new KeptLog(), new VirtualClock(), new AbortController()];
  const loaded = { config: { ledger: { file: `${dir}/ledger.db` } }, pluginNames: [] };
  const live = { readings: { now: Date.now, startedAt: 0, version: "1" } };
  const options = { console: { port: 0 }, loaded, live, clock, log, newWorker: () => assert.fail("it needs none") };
  const served = serveConsole(options as unknown as ConsoleServerOptions, stop.signal);
  const url = await until(() => /Console at (\S+)\/\./.exec(log.lines.join("\n"))?.[1]);
  for (let time = 0; time < 3; time++) {
    const { status, headers, body } = await fetch(url);
    await body?.cancel();
    assert.equal(status, 500);
    assert.match(headers.get("content-security-policy") ?? "", /^default-src 'none'; /);
    assert.deepEqual(
      ["x-content-type-options", "x-frame-options", "cache-control"].map((name) => headers.get(name)),
      ["nosniff", "DENY", "no-store"],
    );
  }
  assert.equal(log.lines.filter((line) => /^error Cannot begin the console: .*console\.key/.test(line)).length, 1);
  await Deno.remove(`${dir}/console.key`);
  const { status, body } = await fetch(url);
  await body?.cancel();
  assert.equal(status, 401);
  stop.abort();
  await served;
  await Deno.remove(dir, { recursive: true });
});
