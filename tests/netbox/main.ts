// The plugin NetBox on a real NetBox: `deno task test:netbox`. With OSS_WATCHER_NETBOX_RECORD=1 the
// conversation is written to tests/data/netbox.jsonl.gz, which the tests in tests/plugins and
// tests/contract tell again.
import { installNetBox } from "../../tools/netbox/install.ts";
import { type PrivateNetBox, startNetBox } from "../../tools/netbox/server.ts";
import { progress } from "../../tools/packages.ts";
import { testContract } from "./contract.ts";
import { writeConversation } from "./conversation.ts";
import { type LivesOptions, playLives } from "./lives.ts";
import { testScenarios } from "./scenarios.ts";
import { NetBoxClient } from "./netbox_client.ts";
import { seed } from "./seed.ts";
import { RealNetBox } from "./source.ts";

const LIVES: readonly LivesOptions[] = [
  { servers: 40, onDeletion: "delete", isCalm: true },
  { servers: 20, onDeletion: "decommission" },
  { servers: 20, onDeletion: "tag" },
  { servers: 200, onDeletion: "delete" },
];

const netbox: PrivateNetBox = await startNetBox(await installNetBox());
const source = new RealNetBox(netbox);
const isRecording = Deno.env.get("OSS_WATCHER_NETBOX_RECORD") === "1";
Deno.test.afterAll(async () => {
  await netbox[Symbol.asyncDispose]();
  if (isRecording) await writeConversation(source.exchanges);
});

testScenarios(source, "NetBox");
testContract(source, "NetBox");
for (const options of isRecording ? [] : LIVES) {
  const { servers, onDeletion, isCalm = false } = options;
  const how = isCalm ? "in at most 4 requests an event" : "whatever is lost on the way";
  Deno.test(`notify() ends ${servers} lives right with ${onDeletion}, ${how}`, async () => {
    await seed(new NetBoxClient(netbox.url, netbox.tokens.admin));
    progress(await playLives(netbox, options));
  });
}
