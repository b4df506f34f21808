import { jetstreamManager, type StreamConfig } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import assert from "node:assert/strict";
import { Nats } from "../../plugins/nats.ts";
import { context, detail } from "../plugins/notification.ts";
import { NatsServer } from "../support/nats_server.ts";

const TEXT = await Deno.readTextFile(new URL("../../docs/EVENT_BUSES.md", import.meta.url));
const PASSWORD = "hush-of-the-page";

function blockWith(text: string): string {
  const blocks = [...TEXT.matchAll(/^```\w*\n([^]*?)^```$/gm)].map(([, block = ""]) => block);
  return blocks.find((block) => block.includes(text)) ?? "";
}

Deno.test("docs/EVENT_BUSES.md has a stream and rights with which events are published", async () => {
  const user = blockWith("authorization {").replace("…", PASSWORD);
  const owner = `users = [ { user: owner, password: "owner" },`;
  await using server = await NatsServer.start({ accounts: [user.replace("users = [", owner)] });
  const admin = await connect({ servers: `127.0.0.1:${server.port}`, user: "owner", pass: "owner" });
  const { streams } = await jetstreamManager(admin);
  const { config } = await streams.add(JSON.parse(blockWith('"duplicate_window"')) as StreamConfig);
  assert.equal(config.duplicate_window, 3600e9);
  const login = { url: `nats://127.0.0.1:${server.port}`, user: "oss-watcher", password: PASSWORD, stream: "cloud" };
  await using nats = new Nats({ ...login, subject: "cloud.p1.creation" });

  await nats.check(new AbortController().signal);
  await nats.notify(detail, true, context());

  assert.equal((await streams.info("cloud")).state.messages, 1);
  await admin.close();
});

for (const options of ["nats", "kafka"]) {
  Deno.test(`docs/EVENT_BUSES.md names every option of plugins/${options}_options.ts that is not the connection's`, async () => {
    const text = await Deno.readTextFile(new URL(`../../plugins/${options}_options.ts`, import.meta.url));
    const names = [...text.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, name = ""]) => name);
    assert.ok(names.length >= 5);
    const known = ["name", "source"];
    assert.deepEqual(names.filter((name) => !known.includes(name) && !new RegExp(`\\b${name}\\b`).test(TEXT)), []);
  });
}
