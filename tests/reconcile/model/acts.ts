import type { Choices } from "./choices.ts";
import type { ModelCloud, ModelFloatingIp, ModelPort, ModelServer, Project } from "./model_cloud.ts";

type Act = (cloud: ModelCloud, choices: Choices) => void;

function onServer(change: (cloud: ModelCloud, server: ModelServer, choices: Choices) => void): Act {
  return (cloud, choices) => {
    // Nothing can be done with a server whose cell is down.
    const servers = [...cloud.servers.values()].filter(({ life, cell }) =>
      life !== "gone" && !cloud.cellsDown.has(cell)
    );
    const server = choices.pick(servers);
    if (server !== undefined) change(cloud, server, choices);
  };
}

function onPort(change: (cloud: ModelCloud, port: ModelPort, choices: Choices) => void): Act {
  return (cloud, choices) => {
    const port = choices.pick([...cloud.ports.values()]);
    if (port !== undefined) change(cloud, port, choices);
  };
}

function onFloatingIp(change: (cloud: ModelCloud, floatingIp: ModelFloatingIp, choices: Choices) => void): Act {
  return (cloud, choices) => {
    const floatingIp = choices.pick([...cloud.floatingIps.values()]);
    if (floatingIp !== undefined) change(cloud, floatingIp, choices);
  };
}

const project = (choices: Choices): Project => choices.chance(60) ? "other" : "own";

function serverToUse(cloud: ModelCloud, choices: Choices): ModelServer | undefined {
  return choices.pick([...cloud.servers.values()].filter(({ life }) => life === "active"));
}

function makePort(cloud: ModelCloud, choices: Choices, isOfNova: boolean): ModelPort {
  return cloud.makePort({ project: project(choices), isOnOwnNetwork: choices.chance(30), isOfNova });
}

/** What users and operators do. */
const ACTS = {
  associate: onFloatingIp((cloud, floatingIp, choices) =>
    cloud.associate(floatingIp, choices.pick([...cloud.ports.values()]) ?? null)
  ),
  disassociate: onFloatingIp((cloud, floatingIp) => cloud.associate(floatingIp, null)),
  boot: (cloud, choices) => {
    const server = cloud.boot({ project: project(choices), cell: choices.chance(40) ? 1 : 0 });
    if (!choices.chance(70)) return;
    if (choices.chance(50)) cloud.attach(makePort(cloud, choices, true), server.id);
    cloud.launch(server);
  },
  launch: onServer((cloud, server) => cloud.launch(server)),
  softDelete: onServer((cloud, server) => cloud.softDelete(server)),
  restore: onServer((cloud, server) => cloud.restore(server)),
  drop: onServer((cloud, server, choices) => cloud.drop(server, { isForced: choices.chance(20) })),
  makePort: (cloud, choices) => void makePort(cloud, choices, false),
  attach: onPort((cloud, port, choices) => {
    const server = serverToUse(cloud, choices);
    if (port.server === null && server !== undefined) cloud.attach(port, server.id);
  }),
  detach: onPort((cloud, port) => cloud.attach(port, null)),
  bumpPort: onPort((cloud, port) => cloud.bump(port)),
  dropPort: onPort((cloud, port) => cloud.dropPort(port)),
  makeFloatingIp: (cloud, choices) => {
    const port = choices.chance(50) ? choices.pick([...cloud.ports.values()]) ?? null : null;
    cloud.makeFloatingIp(project(choices), port);
  },
  dropFloatingIp: onFloatingIp((cloud, floatingIp) => cloud.dropFloatingIp(floatingIp)),
  bumpFloatingIp: onFloatingIp((cloud, floatingIp) => cloud.bump(floatingIp)),
} satisfies Readonly<Record<string, Act>>;

const WEIGHTS: Readonly<Record<keyof typeof ACTS, number>> = {
  associate: 5,
  disassociate: 3,
  boot: 3,
  launch: 1,
  softDelete: 1,
  restore: 1,
  drop: 3,
  makePort: 1,
  attach: 3,
  detach: 2,
  bumpPort: 1,
  dropPort: 2,
  makeFloatingIp: 2,
  dropFloatingIp: 2,
  bumpFloatingIp: 1,
};

/** Lets one thing happen in the cloud, and says which. */
export function act(cloud: ModelCloud, choices: Choices): string {
  const name = choices.weighted(WEIGHTS);
  ACTS[name](cloud, choices);
  return name;
}

/** Servers of both projects, three of them with a port and a floating IP. */
export function populate(cloud: ModelCloud): void {
  const projects: readonly Project[] = ["other", "own", "other"];
  for (const [index, owner] of projects.entries()) {
    const server = cloud.boot({ project: owner, cell: index === 2 ? 1 : 0 });
    cloud.launch(server);
    const port = cloud.makePort({ project: owner, isOnOwnNetwork: index === 0, isOfNova: index !== 1 });
    cloud.attach(port, server.id);
    cloud.makeFloatingIp(owner, port);
  }
  cloud.makePort({ project: "own", isOnOwnNetwork: true, isOfNova: false });
  cloud.makeFloatingIp("other", null);
}
