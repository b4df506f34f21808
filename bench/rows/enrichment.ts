// Details completed from OpenStack: recorded answers of a real one, 20 ms each.
import { contest, type Sample } from "../contest.ts";
import { drain } from "../drain.ts";
import { arrivals, type Load } from "../mix.ts";
import { OpenStackServer, RECORDED } from "../../tests/support/openstack_server.ts";
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
  await using cloud = new OpenStackServer();
  let requests = 0;
  cloud.intercept = async ({ service, path }) => {
    if (service === "compute" || service === "network" || service === "image") requests++;
    await new Promise((resolve) => setTimeout(resolve, ANSWER_MS));
    // Each server of the load is the recorded one, under another id.
    const server = /^\/v2\.1\/servers\/([0-9a-f]{8})-/.exec(path)?.[1];
    return server === undefined ? undefined : cloud.recorded("server-active-2.90", (body) => renamed(body, server));
  };
  const sections = `openstack: { authUrl: ${
    JSON.stringify(cloud.authUrl)
  }, user: "admin", password: "secret", project: "admin" }, `;
  const start = () =>
    startWatcher({
      url,
      queue: QUEUE,
      plugins: idlePlugins(1, load.events),
      sections,
      deliveries: load.events,
    });
  const { work, figures } = await drain({ bus, queue: QUEUE, load, start });
  return { work, figures: { ...figures, requests: requests / load.events } };
}

function renamed(body: string, hex: string): string {
  return body.replaceAll(RECORDED.server, `${hex}${RECORDED.server.slice(8)}`);
}
