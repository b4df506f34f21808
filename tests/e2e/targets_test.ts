import assert from "node:assert/strict";
import { HttpHarness, type HttpTaken } from "oss-watcher/testing";
import { CloudPublisher } from "../../tools/publisher.ts";
import { startRabbit } from "../../tools/rabbitmq.ts";
import { EXPECTED, type ExpectedEvent } from "../facts/expected_events.ts";
import { AmqpHarness } from "../support/amqp_harness.ts";
import { mergeByTime, readCapture } from "../support/captures.ts";
import { MailParser } from "../support/mail_parser.ts";
import { ProgramDirectory } from "../support/program.ts";
import { SmtpHarness } from "../support/smtp_harness.ts";
import { until } from "../support/until.ts";
import { TestPki } from "../wire/pki.ts";
import { listening, LONG_MS } from "./listening.ts";

const PASSWORD = "hush-4711";

/** The part of the recorded run that events come from, and little else. */
const RUN = mergeByTime(readCapture("unversioned.jsonl"), readCapture("versioned.jsonl")).filter(({ body }) =>
  /(instance\.(create|delete)|floatingip\.\w+|port\.(update|delete))\.end/.test(body)
);
/** From this step on, what is left is deleted. */
const LAST_STEP = 119;
const FIRST_TO_GO = EXPECTED.find(({ step }) => step > LAST_STEP)?.server ?? "";
const SERVERS = EXPECTED.filter(({ key }) => key.startsWith("server/"));

Deno.test("service tells every plugin's target everything, in order, though all are stopped and started again meanwhile", async () => {
  await using targets = await Targets.open();
  await using rabbit = await startRabbit();
  await using publisher = new CloudPublisher(rabbit.url);
  await publisher.declareExchange("cloud", { durable: true });
  using dir = directory(rabbit.url, targets.plugins());
  await using service = await listening(dir);
  const publish = async (lines: typeof RUN) => {
    for (const { routing_key: routingKey, body } of lines) {
      await publisher.publish({ exchange: "cloud", routingKey, body });
    }
  };
  const end = RUN.findIndex(({ body }) => /instance\.delete\.end/.test(body) && body.includes(FIRST_TO_GO));
  const middle = Math.floor(end / 2);
  const arrivals = targets.arrivals(dir);

  await publish(RUN.slice(0, middle));
  await until(async () => (await arrivals["Log"]!()).length > 0, LONG_MS);
  await Deno.rename(dir.path("logs/events.log"), dir.path("logs/events.log.1"));
  const stopping = targets.stop(dir);
  await publish(RUN.slice(middle, end));
  await stopping;
  for (const name of Object.keys(targets.plugins())) {
    await until(() => new RegExp(`\\(${name}\\) Attempt \\d+ of \\S+ failed`).test(service.log), LONG_MS)
      .catch((error) => assert.fail(`${name} does not fail: ${error}\n${service.log}`));
  }
  await targets.start(dir);
  const before = EXPECTED.filter(({ step }) => step <= LAST_STEP);
  await until(async () => new Set(await arrivals["Log"]!()).size === before.length, LONG_MS);
  await copyTruncate(dir.path("logs/events.log"));
  await publish(RUN.slice(end));

  for (const [name, arrived] of Object.entries(arrivals)) {
    const expected = name === "Directory" ? SERVERS : EXPECTED;
    await until(async () => new Set(await arrived()).size >= expected.length, LONG_MS)
      .catch(async () => assert.deepEqual(await arrived(), [], `${name}\n${service.log}`));
    assertArrivals(await arrived(), { name, expected });
  }
  assert.equal((await service.end("SIGTERM")).code, 0);
  assert.ok(!service.log.includes(PASSWORD) && !/ ERROR /.test(service.log), service.log);
});

/** Everything came, nothing else did, and of each server and each floating address the first arrivals are in order. */
function assertArrivals(
  all: readonly string[],
  { name, expected }: { readonly name: string; readonly expected: readonly ExpectedEvent[] },
): void {
  const arrivals = [...new Set(all)];
  assert.deepEqual(arrivals.toSorted(), expected.map(({ key }) => key).toSorted(), name);
  const groups = expected.flatMap(({ key, server, ip }) => [
    { group: `server ${server}`, key },
    ...key.startsWith("floatingip/") ? [{ group: `address ${ip}`, key }] : [],
  ]);
  for (const [group, events] of Map.groupBy(groups, ({ group }) => group)) {
    const keys = events.map(({ key }) => key);
    assert.deepEqual(arrivals.filter((key) => keys.includes(key)), keys, `${name}: ${group}`);
  }
}

/** As logrotate does with its option of this name. */
async function copyTruncate(file: string): Promise<void> {
  await Deno.copyFile(file, `${file}.2`);
  await Deno.truncate(file);
}

/** A real server for each plugin that has one. */
class Targets implements AsyncDisposable {
  readonly #pki: TestPki;
  readonly #client: { readonly certFile: string; readonly keyFile: string };
  readonly #rest: HttpHarness;
  readonly #directory: HttpHarness;
  readonly #mail: SmtpHarness;
  readonly #parser: MailParser;
  readonly #broker: Awaited<ReturnType<typeof startRabbit>>;
  readonly #queue: AmqpHarness;
  readonly #taken = {
    rest: [] as HttpTaken[],
    directory: [] as HttpTaken[],
    mail: [] as string[],
    amqp: [] as string[],
  };

  private constructor(parts: {
    readonly pki: TestPki;
    readonly client: { readonly certFile: string; readonly keyFile: string };
    readonly rest: HttpHarness;
    readonly directory: HttpHarness;
    readonly mail: SmtpHarness;
    readonly parser: MailParser;
    readonly broker: Awaited<ReturnType<typeof startRabbit>>;
    readonly queue: AmqpHarness;
  }) {
    this.#pki = parts.pki;
    this.#client = parts.client;
    this.#rest = parts.rest;
    this.#directory = parts.directory;
    this.#mail = parts.mail;
    this.#parser = parts.parser;
    this.#broker = parts.broker;
    this.#queue = parts.queue;
  }

  static async open(): Promise<Targets> {
    const pki = await TestPki.make();
    const { cert, key } = await pki.issue("localhost");
    const clientCa = await Deno.readTextFile(pki.caFile);
    const broker = await startRabbit();
    const parser = new MailParser();
    return new Targets({
      pki,
      client: await pki.issue("watcher"),
      rest: await HttpHarness.open({ cert, key, clientCa }),
      directory: await HttpHarness.open({ cert, key }),
      mail: await SmtpHarness.open({
        parser,
        security: "starttls",
        cert,
        key,
        login: { user: "watcher", password: PASSWORD },
      }),
      parser,
      broker,
      queue: await AmqpHarness.open(broker),
    });
  }

  /** The options of each plugin, as config.ts has them. */
  plugins(): Readonly<Record<string, { readonly plugin: string; readonly options: unknown }>> {
    const { caFile } = this.#pki;
    const { certFile, keyFile } = this.#client;
    const rest = { host: this.#rest.url, urlCreation: "/new", urlDeletion: "/old", caFile, certFile, keyFile };
    const url = `${this.#directory.url}/instances`;
    const { host, port } = this.#mail;
    return {
      Rest: { plugin: "RestNotify", options: rest },
      Directory: { plugin: "DirectoryNotify", options: { url, caFile, logFile: "./logs/directory.log" } },
      Mail: {
        plugin: "EmailNotify",
        options: {
          host,
          port,
          caFile,
          user: "watcher",
          password: PASSWORD,
          from: "a@example.com",
          to: "b@example.com",
        },
      },
      Amqp: { plugin: "AmqpPublish", options: { url: this.#broker.url, exchange: this.#queue.exchange } },
      Log: { plugin: "EventLog", options: { file: "./logs/events.log" } },
    };
  }

  /** Ends all servers; both logs lose their directory. */
  async stop(dir: ProgramDirectory): Promise<void> {
    this.#rest.behave("down");
    this.#directory.behave("down");
    this.#mail.behave("down");
    await Deno.rename(dir.path("logs"), dir.path("logs.gone"));
    await this.#broker.kill();
  }

  async start(dir: ProgramDirectory): Promise<void> {
    await this.#broker.restart();
    await this.#queue.reconnect();
    await this.#mail.restart();
    this.#rest.behave("accepts");
    this.#directory.behave("accepts");
    this.#mail.behave("accepts");
    await Deno.mkdir(dir.path("logs"));
  }

  /** The keys of what has arrived so far, in that order. */
  arrivals(dir: ProgramDirectory): Readonly<Record<string, () => Promise<readonly string[]>>> {
    const taken = this.#taken;
    return {
      Rest: () => Promise.resolve(keysOf(this.#rest, taken.rest)),
      Directory: async () => {
        const keys = keysOf(this.#directory, taken.directory);
        // What the log has, all of it, when the service has taken the directory's last answer.
        const logged = await lines(dir, "directory.log");
        const entries = [...logged.matchAll(/'(R|Unr)egistering [^]*?'instance_uuid': '([^']*)'/g)]
          .map(([, kind, id]) => `server/${id}/${kind === "R" ? "creation" : "deletion"}`);
        return new Set(entries).size < new Set(keys).size ? entries : keys;
      },
      Mail: async () => {
        for (const { mail } of await this.#mail.taken()) {
          taken.mail.push(new Map(mail.headers).get("X-OSS-Watcher-Key")?.trim() ?? "");
        }
        return taken.mail;
      },
      Amqp: async () => {
        for (const { properties } of await this.#queue.taken()) taken.amqp.push(String(properties["messageId"]));
        return taken.amqp;
      },
      Log: async () => {
        const logged = await lines(dir, "events.log.1", "events.log.2", "events.log");
        return (logged.match(/[^\n]+\n/g) ?? []).map((line) => JSON.parse(line).key);
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue[Symbol.asyncDispose]();
    await this.#broker.stop();
    await this.#mail[Symbol.asyncDispose]();
    await this.#parser[Symbol.asyncDispose]();
    await this.#rest[Symbol.asyncDispose]();
    await this.#directory[Symbol.asyncDispose]();
    await this.#pki[Symbol.asyncDispose]();
  }
}

function keysOf(target: HttpHarness, taken: HttpTaken[]): string[] {
  taken.push(...target.taken());
  return taken.map(({ headers }) => headers["idempotency-key"] ?? "");
}

/** What a log and its older parts have on both disks, the one that was taken away first. */
async function lines(dir: ProgramDirectory, ...files: readonly string[]): Promise<string> {
  const paths = ["logs.gone", "logs"].flatMap((disk) => files.map((file) => dir.path(disk, file)));
  return (await Promise.all(paths.map((path) => Deno.readTextFile(path).catch(() => "")))).join("");
}

/** A directory with a configuration, where the ledger will be, too. */
function directory(url: string, plugins: ReturnType<Targets["plugins"]>): ProgramDirectory {
  const made = Object.entries(plugins).map(([name, { plugin, options }]) =>
    `new ${plugin}(${JSON.stringify({ name, ...(options as object) })})`
  );
  return new ProgramDirectory({
    "logs": null,
    "config.ts": `import { AmqpPublish, DirectoryNotify, EmailNotify, EventLog, RestNotify } from "oss-watcher/plugins";
      export default {
        events: {
          creation: ["compute.instance.create.end", "floatingip.update.end"],
          deletion: ["compute.instance.delete.end", "floatingip.update.end"],
        },
        plugins: [${made.join(", ")}],
        rabbit: ${JSON.stringify({ url, queue: { name: "oss-watcher", exchanges: ["cloud"], type: "classic" } })},
        retry: { firstDelaySeconds: 0.1, maxDelaySeconds: 0.5 },
        metrics: false,
        console: false,
        // The recording may be older than what is usually believed of a queue.
        ledger: { file: "./ledger.db", keepDays: 36500 },
      };`,
  });
}
