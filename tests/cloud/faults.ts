// `doctor` and `tail` on a real cloud in which something was set up wrongly, as in the three ways that happen most.
import { Connection } from "rabbitmq-client";
import { freePorts } from "../../tools/free_ports.ts";
import type { Notifying } from "../../tools/openstack/settings.ts";
import { progress } from "../../tools/packages.ts";
import { ProgramDirectory, type RunningProgram, startProgram } from "../support/program.ts";
import { until } from "../support/until.ts";
import type { Outcome, Stage } from "./passes.ts";
import type { ServerRef } from "./tenant.ts";

/** A fault that was planted, and what has to be said of it. */
interface Fault {
  readonly name: string;
  readonly notifying: Notifying;
  readonly plant: (stage: Stage) => Promise<void>;
  /** What `doctor` must say, line breaks aside. */
  readonly said: readonly RegExp[];
  /** Whether events come past all the same: on a queue of its own `tail` sees them. */
  readonly passBy: boolean;
}

const LONG_MS = 180_000;
const PERMISSIONS = ["--allow-net", "--allow-read", "--allow-write", "--allow-env"];
const QUEUE = "faulty";
const EXCHANGES = ["nova", "neutron"];
const TOPICS = ["notifications", "versioned_notifications", "monitoring"];

const RIGHT: Notifying = {
  novaFormat: "both",
  novaDrivers: ["messagingv2"],
  neutronDrivers: ["messagingv2"],
  topics: ["notifications"],
  versionedTopics: ["versioned_notifications"],
};

const FAULTS: readonly Fault[] = [
  {
    name: "no driver",
    notifying: { ...RIGHT, novaDrivers: [], neutronDrivers: [] },
    plant: (stage) => leaveOwnQueue(stage),
    said: [
      /error: Exchange "nova" has brought no notification: its service has no driver .* In nova\.conf .* driver = messagingv2/,
      /error: Exchange "neutron" has brought no notification: its service has no driver .* In neutron\.conf/,
    ],
    passBy: false,
  },
  {
    name: "wrong topic",
    notifying: { ...RIGHT, topics: ["monitoring"], versionedTopics: ["monitoring"] },
    plant: (stage) => leaveOwnQueue(stage),
    said: [
      /error: Exchange "nova" brings monitoring\.info, and oss-watcher waits for .* topics = notifications,monitoring/,
    ],
    passBy: false,
  },
  {
    name: "unbound own queue",
    notifying: RIGHT,
    plant: async (stage) => {
      await leaveOwnQueue(stage);
      await unbind(stage);
    },
    said: [/error: Queue "faulty" is not bound to exchange "nova": .* nothing reached it/],
    passBy: true,
  },
];

/** Plants one fault after the other, and asks `doctor`. */
export async function diagnoseFaults(stage: Stage): Promise<Outcome> {
  const title = "doctor and tail, with faults";
  progress(`\n${title}`);
  const begun = Date.now();
  const problems: string[] = [];
  for (const fault of FAULTS) {
    try {
      problems.push(...await diagnose(fault, stage));
    } catch (error) {
      problems.push(`${fault.name}: broke off: ${error instanceof Error ? error.stack : error}`);
    }
  }
  const seconds = (Date.now() - begun) / 1000;
  return { title, steps: 2 * FAULTS.length, events: 0, seconds, comparisons: [], problems };
}

async function diagnose({ name, notifying, plant, said, passBy }: Fault, stage: Stage): Promise<readonly string[]> {
  const { cloud, cast } = stage;
  await cloud.renotify(notifying);
  await forget(stage);
  await plant(stage);
  using dir = directory(stage);
  await using doctor = start(dir, [
    "doctor",
    "--seconds",
    "900",
    "--management",
    `http://127.0.0.1:${freePorts(1)[0]}`,
  ]);
  await using tail = start(dir, ["tail"]);
  for (const program of [doctor, tail]) await until(() => program.err.includes("Listening at"), LONG_MS);
  const server = await cast.alice.boot({ name: "patient" });
  await cast.alice.delete(server);
  if (passBy) await until(() => eventsOf(tail, server).length >= 2, LONG_MS);
  const { code } = await doctor.end("SIGINT");
  const { code: tailCode } = await tail.end("SIGINT");
  const heard = eventsOf(tail, server);
  progress(`${name}: doctor said\n${doctor.out}\n${doctor.err}\ntail showed\n${tail.out}`);
  const text = doctor.out.replace(/\s+/g, " ");
  return [
    ...(code === 1 ? [] : [`${name}: doctor ended with ${code}`]),
    ...(tailCode === 0 ? [] : [`${name}: tail ended with ${tailCode}: ${tail.err}`]),
    ...said.filter((pattern) => !pattern.test(text)).map((pattern) =>
      `${name}: doctor does not say ${pattern}: ${text}`
    ),
    ...(heard.join() === (passBy ? "created,deleted" : "") ? [] : [`${name}: tail showed "${heard.join()}"`]),
  ];
}

/** What `tail` showed of a server. */
function eventsOf({ out }: RunningProgram, { id }: ServerRef): string[] {
  return out.split("\n").filter((line) => line.endsWith(id)).map((line) => line.split(/ +/)[1] ?? "");
}

/** As if RabbitMQ were new: what earlier settings have left says nothing of these. */
async function forget({ cloud }: Stage): Promise<void> {
  const queues = TOPICS.flatMap((topic) => ["info", "error", "warn"].map((priority) => `${topic}.${priority}`));
  await use(cloud.rabbit.url, async (connection) => {
    for (const queue of [...queues, QUEUE]) await connection.queueDelete({ queue });
  });
}

/** The service has run once, and runs no more. */
async function leaveOwnQueue(stage: Stage): Promise<void> {
  using dir = directory(stage);
  await using service = start(dir, []);
  await until(() => service.err.includes("Listening on queue"), LONG_MS);
  await service.end("SIGTERM");
}

async function unbind({ cloud }: Stage): Promise<void> {
  await use(cloud.rabbit.url, async (connection) => {
    for (const exchange of EXCHANGES) {
      for (const routingKey of ["notifications.info", "versioned_notifications.info"]) {
        await connection.queueUnbind({ queue: QUEUE, exchange, routingKey });
      }
    }
  });
}

async function use(url: string, act: (connection: Connection) => Promise<void>): Promise<void> {
  const connection = new Connection(url);
  try {
    await act(connection);
  } finally {
    await connection.close();
  }
}

function start(dir: ProgramDirectory, args: readonly string[]): RunningProgram {
  return startProgram({ dir: dir.path(), args, permissions: PERMISSIONS });
}

function directory({ cloud }: Stage): ProgramDirectory {
  return new ProgramDirectory({
    "config.ts": `export default {
  events: { creation: ["compute.instance.create.end"], deletion: ["compute.instance.delete.end"] },
  plugins: [{ name: "Silent", notify() {} }],
  rabbit: ${JSON.stringify({ url: cloud.rabbit.url, queue: { name: QUEUE } })},
  ledger: { file: "./ledger.db" },
};
`,
  });
}
