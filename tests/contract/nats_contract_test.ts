import assert from "node:assert/strict";
import { Nats, type NatsOptions } from "oss-watcher/plugins";
import { testPlugin } from "oss-watcher/testing";
import { assertChanged } from "../support/changed_list.ts";
import { NatsHarness, type TakenMessage } from "../support/nats_harness.ts";
import { NatsServer, PASSWORD, USER } from "../support/nats_server.ts";

let server: NatsServer;
Deno.test.beforeAll(async () => {
  server = await NatsServer.start();
});
Deno.test.afterAll(() => server[Symbol.asyncDispose]());

const login = { user: USER, password: PASSWORD };

testPlugin({
  name: "Nats",
  openTarget: () => NatsHarness.open(server),
  make: ({ port }) =>
    new Nats({ ...login, url: `nats://127.0.0.1:${port}`, subject: "cloud.servers", stream: "cloud" }),
  secrets: [PASSWORD],
  right: () => new Nats({ ...login, url: ["tls://nats-1", "nats://[::1]:4223"], subject: () => "cloud.servers" }),
  wrong: {
    make: () =>
      new Nats({
        url: `nats://watcher:${PASSWORD}@h`,
        user: "",
        password: 1,
        token: "",
        credsFile: 1,
        tls: { caFile: "ca.pem", keyfile: "k" },
        timeoutSeconds: 0,
        subject: "cloud.*",
        stream: "a.b",
        format: "xml",
        source: "a b",
        pasword: PASSWORD,
        name: "",
      } as unknown as NatsOptions),
    names: [
      ...["url", "user", "password", "token", "credsFile", "tls", "timeoutSeconds", "subject", "stream", "format"],
      ...["source", "pasword", "name"],
    ],
  },
  identify: ({ headers }) => headers["Nats-Msg-Id"] ?? "",
  assertTaken: (taken, { detail, context }) => {
    assertTold(taken);
    assert.equal(taken.headers["OSS-Watcher-Kind"], context.kind);
    assert.equal(taken.headers["OSS-Watcher-Sequence"], String(context.sequence));
    assert.equal(taken.headers["OSS-Watcher-Creation-Seen"], String(context.creationSeen));
    assert.deepEqual(JSON.parse(taken.body), JSON.parse(JSON.stringify(detail)));
  },
  assertUpdated: (taken, { detail, context }) => {
    assertTold(taken);
    assert.equal(taken.headers["OSS-Watcher-Kind"], "update");
    assertChanged(taken.headers["OSS-Watcher-Changed"] ?? "", context.changed);
    assert.deepEqual(JSON.parse(taken.body), JSON.parse(JSON.stringify(detail)));
  },
  assertPreview: (preview, { subject, headers, body }) => {
    assert.deepEqual(preview, { subject, headers, body: JSON.parse(body) });
  },
});

function assertTold({ subject, headers }: TakenMessage): void {
  assert.equal(subject, "cloud.servers");
  assert.equal(headers["Content-Type"], "application/json");
  assert.match(headers["Nats-Msg-Id"] ?? "", /^[\x21-\x7e]+$/);
}
