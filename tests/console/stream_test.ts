import assert from "node:assert/strict";
import type * as api from "../../src/console/api.ts";
import { CloudPublisher } from "../../tools/publisher.ts";
import { type PrivateRabbit, startRabbit } from "../../tools/rabbitmq.ts";
import { EXPECTED } from "../facts/expected_events.ts";
import { mergeByTime, readCapture } from "../support/captures.ts";
import { until } from "../support/until.ts";
import { ApiChecker } from "./api_schema_checker.ts";
import { LONG_MS, RunningConsole, type Session } from "./consoles.ts";

const RUN = mergeByTime(readCapture("unversioned.jsonl"), readCapture("versioned.jsonl"))
  .filter(({ body }) => /(instance\.(create|delete)|floatingip\.\w+|port\.(update|delete))\.end/.test(body));
const HALF = Math.floor(RUN.length / 2);

let rabbit: PrivateRabbit;

Deno.test.beforeAll(async () => void (rabbit = await startRabbit()));
Deno.test.afterAll(() => rabbit.stop());

/** What one stream has told. */
class Stream implements AsyncDisposable {
  readonly events: { readonly id: string; readonly data: api.StreamedEvents }[] = [];
  readonly overviews: api.OverviewAnswer[] = [];
  hasEnded = false;
  readonly #stop = new AbortController();
  readonly #reading: Promise<void>;

  constructor(session: Session, headers: HeadersInit = {}) {
    this.#reading = this.#read(session, headers).catch(() => {}).finally(() => this.hasEnded = true);
  }

  get lastId(): string {
    return this.events.at(-1)?.id ?? "";
  }

  get keys(): readonly string[] {
    return this.events.flatMap(({ data }) => data.rows.map(({ key }) => key));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#reading;
  }

  async #read(session: Session, headers: HeadersInit): Promise<void> {
    const { signal } = this.#stop;
    const sent = { cookie: session.cookie, ...Object.fromEntries(new Headers(headers)) };
    const response = await fetch(`${session.url}/api/v1/stream`, { headers: sent, signal });
    assert.equal(response.headers.get("content-type"), "text/event-stream");
    let text = "";
    for await (const part of response.body!.pipeThrough(new TextDecoderStream())) {
      const messages = (text + part).split("\n\n");
      text = messages.pop() ?? "";
      for (const message of messages) this.#take(message);
    }
  }

  #take(message: string): void {
    const fields = new Map(
      message.split("\n").map((line) => {
        const at = line.indexOf(": ");
        return [line.slice(0, at), line.slice(at + 2)];
      }),
    );
    const data = fields.get("data");
    if (data === undefined) return;
    if (fields.get("event") === "overview") this.overviews.push(JSON.parse(data));
    else this.events.push({ id: fields.get("id")!, data: JSON.parse(data) });
  }
}

async function start(exchange: string, publisher: CloudPublisher): Promise<RunningConsole> {
  await publisher.declareExchange(exchange, { durable: true });
  const running = await RunningConsole.start({
    rabbit: `{ url: "${rabbit.url}", queue: { name: "${exchange}", exchanges: ["${exchange}"], type: "classic" } }`,
  });
  await until(() => running.service.log.includes("Listening on queue"), LONG_MS);
  return running;
}

Deno.test("two streams are told the same, and who comes back misses nothing, over a reload", async () => {
  await using publisher = new CloudPublisher(rabbit.url);
  await using running = await start("stream", publisher);
  const publish = async (lines: typeof RUN) => {
    for (const { routing_key: routingKey, body } of lines) {
      await publisher.publish({ exchange: "stream", routingKey, body });
    }
  };
  const [anna, berta] = [await running.signIn("operator", "anna"), await running.signIn("viewer", "berta")];
  const first = new Stream(anna);
  await using second = new Stream(berta);
  await until(() => first.events.length > 0 && second.events.length > 0, LONG_MS);
  await publish(RUN.slice(0, HALF));
  await until(() => first.keys.length > 10 && second.keys.length > 10, LONG_MS);
  await first[Symbol.asyncDispose]();

  await publish(RUN.slice(HALF));
  await until(() => second.keys.length === EXPECTED.length, LONG_MS);
  Deno.kill(running.service.pid, "SIGHUP");
  await running.listening(2);
  await until(() => second.hasEnded, LONG_MS);

  await using third = new Stream(anna, { "last-event-id": first.lastId });
  await until(() => first.keys.length + third.keys.length >= EXPECTED.length, LONG_MS);
  const expected = EXPECTED.map(({ key }) => key).sort();
  assert.deepEqual([...first.keys, ...third.keys].sort(), expected);
  assert.deepEqual([...second.keys].sort(), expected);
  assert.ok([...first.events, ...second.events, ...third.events].every(({ data }) => !data.isCut));
  await until(() => third.overviews.length > 1, LONG_MS);

  const checker = new ApiChecker(await anna.get("openapi.json"));
  for (const { data } of [...first.events, ...third.events]) {
    checker.checkSchema("#/components/schemas/StreamedEvents", { body: data, what: "events" });
  }
  for (const body of third.overviews) {
    checker.checkSchema("#/components/schemas/OverviewAnswer", { body, what: "overview" });
  }
});

Deno.test("a stream that is open does not keep the service from stopping", async () => {
  await using running = await RunningConsole.start();
  const session = await running.signIn();
  await using stream = new Stream(session);
  await until(() => stream.overviews.length > 0, LONG_MS);
  const { code } = await running.service.end("SIGTERM");
  assert.equal(code, 0);
  await until(() => stream.hasEnded, LONG_MS);
});
