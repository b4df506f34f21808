// Details completed from OpenStack: recorded answers of a real one, 20 ms each.
import { fileURLToPath } from "node:url";
import { contest, type Sample } from "../contest.ts";
import { drain } from "../drain.ts";
import { arrivals, type Load } from "../mix.ts";
import { type Measured, QUEUE, type Row, type Stand } from "../stand.ts";
import { idlePlugins, startWatcher } from "../watcher.ts";

const ANSWER_MS = 20;

export const enrichment: Row = { name: `enrichment, ${ANSWER_MS} ms per answer`, measure };

async function measure(stand: Stand): Promise<Measured> {
  const load = arrivals(stand.quick ? 500 : 3000);
  const rounds = await contest({ name: enrichment.name, rounds: stand.rounds }, {
    "watcher": () => enriched(stand, load),
  });
  return {
    lines: [
      { what: "events/s", value: rounds.median("watcher", "perSecond"), unit: "/s", aim: { atLeast: 500 } },
      { what: "requests per event", value: rounds.median("watcher", "requests"), unit: "", aim: { atMost: 2 } },
      { what: "CPU per event", value: rounds.median("watcher", "cpuMicros"), unit: "µs" },
    ],
    raw: rounds,
  };
}

async function enriched({ bus, url }: Stand, load: Load): Promise<Sample> {
  await using cloud = await Cloud.start(ANSWER_MS);
  const sections = `openstack: { authUrl: ${
    JSON.stringify(cloud.authUrl)
  }, user: "admin", password: "secret", project: "admin" }, `;
  const plugins = idlePlugins(1, load.events);
  const start = () => startWatcher({ url, queue: QUEUE, plugins, sections, deliveries: load.events });
  const { work, figures } = await drain({ bus, queue: QUEUE, load, start });
  return { work, figures: { ...figures, requests: await cloud.questions() / load.events } };
}

/** `bench/cloud.ts`, running. */
class Cloud implements AsyncDisposable {
  readonly authUrl: string;
  readonly #child: Deno.ChildProcess;
  readonly #lines: AsyncIterator<Readonly<Record<string, unknown>>>;

  private constructor(
    authUrl: string,
    { child, lines }: {
      readonly child: Deno.ChildProcess;
      readonly lines: AsyncIterator<Readonly<Record<string, unknown>>>;
    },
  ) {
    this.authUrl = authUrl;
    [this.#child, this.#lines] = [child, lines];
  }

  static async start(answerMs: number): Promise<Cloud> {
    const args = ["run", "--quiet", "-A", fileURLToPath(new URL("../cloud.ts", import.meta.url)), String(answerMs)];
    const child = new Deno.Command(Deno.execPath(), { args, stdin: "piped", stdout: "piped" }).spawn();
    const lines = linesOf(child.stdout);
    const { value } = await lines.next();
    return new Cloud(String(value?.authUrl), { child, lines });
  }

  /** Ends it. Returns the number of questions. */
  async questions(): Promise<number> {
    await this.#child.stdin.close();
    const { value } = await this.#lines.next();
    return Number(value?.questions ?? NaN);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await this.#child.status;
  }
}

async function* linesOf(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<Readonly<Record<string, unknown>>, undefined> {
  let text = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
      yield JSON.parse(text.slice(0, end));
      text = text.slice(end + 1);
    }
  }
}
