import assert from "node:assert/strict";
import type { SourceAnswer } from "../../src/detail/enrich.ts";
import { RamLedger } from "../../src/ledger/ram/ledger.ts";
import { WakeSignal } from "../../src/model/wake_signal.ts";
import type { Notification } from "../../src/model/notification.ts";
import { FactsStage } from "../../src/runtime/facts_stage.ts";
import { Opened } from "../openstack/opened.ts";
import { KeptLog } from "../support/loggers.ts";
import { RECORDED } from "../support/openstack_server.ts";
import { EVERYTHING } from "../support/rules.ts";
import { came, went } from "../support/stories.ts";

const OLD = { time: "2026-01-01T00:00:00.000Z" };

/** Stage 2 over a ledger in RAM; creations before November are old. */
class World {
  readonly ledger = new RamLedger();
  readonly log = new KeptLog();
  readonly answered = new WakeSignal();
  readonly asked: string[] = [];
  readonly stage: FactsStage;

  constructor(nova: ((id: string) => Promise<SourceAnswer<"server">>) | null) {
    this.stage = new FactsStage({
      ledger: this.ledger,
      log: this.log,
      rules: () => ({ ...EVERYTHING, oldestCreation: "2026-11-01T00:00:00.000Z" }),
      mayDecide: () => true,
      nova: nova && {
        server: (id) => {
          this.asked.push(id);
          return nova(id);
        },
      },
      signal: new AbortController().signal,
      onAnswered: () => this.answered.notify(),
    });
  }

  /** Decides all there is; gives the keys of the events. */
  async decide(...notifications: readonly Notification[]): Promise<string[]> {
    await this.ledger.record(notifications.map((notification) => ({ receivedAt: 0, notification })));
    for (let asked = 0;; asked = this.asked.length) {
      while (await this.stage.step(50));
      if (this.asked.length === asked) break;
      await this.answered.wait();
    }
    return (await this.ledger.undetailed(99)).map(({ event }) => event.key);
  }
}

Deno.test("FactsStage sends an old creation if Nova still has the server, in its place", async () => {
  await using cloud = new Opened();
  const world = new World((id) => cloud.api.server(id));
  const keys = await world.decide(
    came("new"),
    came("gone", {}, OLD),
    came(RECORDED.server, {}, OLD),
    came("another"),
    went(RECORDED.server),
  );
  assert.deepEqual(keys, [
    "server/new/creation",
    `server/${RECORDED.server}/creation`,
    "server/another/creation",
    `server/${RECORDED.server}/deletion`,
  ]);
  assert.deepEqual(world.asked, ["gone", RECORDED.server]);
  assert.match(
    world.log.lines.join("\n"),
    /Superseded: compute.instance.create.end .* from an old queue; nothing else/,
  );
});

Deno.test("FactsStage does not ask Nova for what is remembered, nor without a cloud", async () => {
  const world = new World(() => Promise.resolve("absent"));
  assert.deepEqual(await world.decide(came("a"), came("a", {}, OLD)), ["server/a/creation"]);
  assert.deepEqual(world.asked, []);
  assert.deepEqual(await new World(null).decide(came("a", {}, OLD)), []);
});

Deno.test("FactsStage does not send an old creation when Nova is silent or forbids the answer, and says so", async () => {
  for (const answer of ["silent", "forbidden"] as const) {
    const world = new World(() => Promise.resolve(answer));
    assert.deepEqual(await world.decide(came("a", {}, OLD), came("b")), ["server/b/creation"]);
    assert.match(
      world.log.lines[0]!,
      new RegExp(`^warn Nova does not say whether the server a is still there \\(${answer}\\)`),
    );
  }
});
