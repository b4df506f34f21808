/**
 * A service with all that its console shows: a broker with messages, a target that works, one that
 * refuses and one that is down; if wanted a cloud and PostgreSQL.
 *
 * @module
 */

import { freePorts } from "../../../tools/free_ports.ts";
import { CloudPublisher, type Published } from "../../../tools/publisher.ts";
import { setUpRabbit, startRabbit } from "../../../tools/rabbitmq.ts";
import { Receiver } from "../../../tools/receiver.ts";
import { MadeCloud } from "../../support/made_cloud.ts";
import { OpenStackServer } from "../../support/openstack_server.ts";
import { temporaryDatabase } from "../../support/postgres_server.ts";
import { until } from "../../support/until.ts";
import type { EventsAnswer, OverviewAnswer } from "../../../src/console/api.ts";
import { LONG_MS, RunningConsole, type Session } from "../consoles.ts";

const EXCHANGES = ["nova", "neutron"];
const PLUGINS = 4;
/** Notifications whose deliveries the API tells in one page. */
const CHUNK = 100;

export interface WorldOptions {
  /** With a cloud of some servers, and a ledger in PostgreSQL. @default false */
  readonly isWhole?: boolean;
  /** The source of `when` around the plugin `Monitoring`, whose target is down. @default no filter */
  readonly when?: string;
  /** What the target `Billing` answers. @default it refuses for good */
  readonly refusal?: () => Response;
}

/** The source of a plugin in config.ts. */
function plugin(name: string, port: number): string {
  return `new RestNotify({ name: "${name}", host: "http://127.0.0.1", port: ${port}, user: "demo",` +
    ` password: "hush-4711", urlCreation: "/created", urlDeletion: "/deleted" })`;
}

export class ConsoleWorld implements AsyncDisposable {
  readonly console: RunningConsole;
  readonly session: Session;
  readonly good: Receiver;
  readonly refusing: Receiver;
  /** `null`: `isWhole` was not asked for. */
  readonly cloud: MadeCloud | null;
  readonly #publisher: CloudPublisher;
  readonly #stack: AsyncDisposableStack;

  private constructor(
    parts: Pick<ConsoleWorld, "console" | "session" | "good" | "refusing" | "cloud"> & { publisher: CloudPublisher },
    stack: AsyncDisposableStack,
  ) {
    this.console = parts.console;
    this.session = parts.session;
    this.good = parts.good;
    this.refusing = parts.refusing;
    this.cloud = parts.cloud;
    this.#publisher = parts.publisher;
    this.#stack = stack;
  }

  static async start({ isWhole = false, when, refusal = refuse }: WorldOptions = {}): Promise<ConsoleWorld> {
    await using stack = new AsyncDisposableStack();
    await setUpRabbit();
    const rabbit = stack.use(await startRabbit());
    const [good, refusing] = [stack.use(new Receiver()), stack.use(new Receiver())];
    refusing.answer = refusal;
    const publisher = stack.use(new CloudPublisher(rabbit.url));
    for (const exchange of EXCHANGES) await publisher.declareExchange(exchange, { durable: false });
    const [nobody = 1] = freePorts(1);
    const beside = isWhole ? await whole(stack) : null;
    const running = stack.use(
      await RunningConsole.start({
        rabbit: JSON.stringify({ url: rabbit.url, queue: { name: "console", type: "classic" } }),
        plugins: [
          plugin("Cmdb", good.port),
          plugin("Billing", refusing.port),
          when === undefined ? plugin("Monitoring", nobody) : `when(${plugin("Monitoring", nobody)}, ${when})`,
          `new EventLog({ file: "events.log" })`,
        ].join(", "),
        ...(beside?.setUp ?? {}),
      }),
    );
    await until(() => running.service.log.includes("Listening on queue"), LONG_MS);
    const session = await running.signIn();
    // A new ledger reads first what the cloud has.
    await until(async () => (await session.get<OverviewAnswer>("overview")).openstack?.deciding !== false, LONG_MS);
    const parts = { console: running, session, good, refusing, publisher, cloud: beside?.cloud ?? null };
    return new ConsoleWorld(parts, stack.move());
  }

  /** Publishes, and waits until the service has decided of all. Each must lead to an event. */
  async publish(...notifications: readonly Published[]): Promise<void> {
    for (let from = 0; from < notifications.length; from += CHUNK) {
      const chunk = notifications.slice(from, from + CHUNK);
      const { newest } = await this.events("limit=1");
      await this.send(...chunk);
      const deliveries = chunk.length * PLUGINS;
      await until(async () => (await this.events(`limit=500&after=${newest}`)).rows.length >= deliveries, LONG_MS);
    }
  }

  /** Publishes, and does not wait: nothing may come of it. */
  async send(...notifications: readonly Published[]): Promise<void> {
    for (const notification of notifications) await this.#publisher.publish(notification);
  }

  events(query: string): Promise<EventsAnswer> {
    return this.session.get(`events?${query}`);
  }

  /** Waits until these deliveries are there, as the plugins' outcomes come later than the events. */
  async settled(query: string, count: number): Promise<EventsAnswer["rows"]> {
    return await until(async () => {
      const { rows } = await this.events(`limit=500&${query}`);
      return rows.length >= count ? rows : null;
    }, LONG_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

const refuse = () => new Response("no such owner", { status: 422 });

async function whole(stack: AsyncDisposableStack) {
  const openstack = stack.use(new OpenStackServer());
  const cloud = await MadeCloud.behind(openstack, { servers: 12, floatingIps: 3 });
  const { url, schema } = stack.use(await temporaryDatabase());
  const section = {
    authUrl: openstack.authUrl,
    user: "admin",
    password: "hush-4711",
    project: "admin",
    reconcile: { confirmSeconds: 1 },
  };
  const setUp = {
    ledger: JSON.stringify({ postgres: { url, schema, processName: "controller-1" } }),
    sections: `openstack: ${JSON.stringify(section)},`,
  };
  return { setUp, cloud };
}
