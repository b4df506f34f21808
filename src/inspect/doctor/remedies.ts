import { shellWord } from "../../wire/escaping/shell_word.ts";

/** Lines for a file or a shell that mend a problem. */
export interface Remedy {
  /** The file or shell that they are for. */
  readonly where: string;
  readonly lines: readonly string[];
}

/** The configuration files of the services by their exchanges. */
const SERVICES: Readonly<Record<string, { readonly file: string; readonly hosts: string; readonly tag: string }>> = {
  nova: { file: "nova.conf", hosts: "of every Nova service", tag: "nova" },
  neutron: { file: "neutron.conf", hosts: "of every Neutron server", tag: "neutron" },
  keystone: { file: "keystone.conf", hosts: "of every Keystone", tag: "keystone" },
  glance: { file: "glance-api.conf", hosts: "of every glance-api", tag: "glance" },
};

/** Makes a service send notifications to a topic. */
export function sendNotifications(exchange: string, topics: readonly string[]): readonly Remedy[] {
  const { file, hosts, tag } = SERVICES[exchange] ??
    { file: `${exchange}.conf`, hosts: "of the service", tag: exchange };
  const isDefault = topics.every((topic) => topic === "notifications");
  const lines = [
    "[oslo_messaging_notifications]",
    "driver = messagingv2",
    ...(isDefault ? [] : [`topics = ${[...new Set(["notifications", ...topics])].join(",")}`]),
  ];
  return [
    { where: `In ${file} ${hosts}, then restart it`, lines },
    {
      where: `With Kolla the same lines in /etc/kolla/config/${file}, then`,
      lines: [`kolla-ansible reconfigure --tags ${tag}`],
    },
  ];
}

/** Makes Nova send the notifications that exist in the older format alone. */
export const SEND_UNVERSIONED: Remedy = {
  where: "In nova.conf of every Nova service, then restart it",
  lines: ["[notifications]", "notification_format = both"],
};

/** Makes Nova send a notification of each change of a server. */
export const SEND_CHANGES: Remedy = {
  where: "In nova.conf of every Nova service, then restart it",
  lines: ["[notifications]", "notify_on_state_change = vm_and_task_state"],
};

/** Makes oss-watcher's own queue receive these routing keys. */
export function takeRoutingKeys(routingKeys: readonly string[]): Remedy {
  return {
    where: "Or in config.ts, in rabbit.queue",
    lines: ["routingKeys: [", ...routingKeys.map((key) => `  ${JSON.stringify(key)},`), "],"],
  };
}

/** Bounds queues that nobody reads. */
export function boundQueues(names: readonly string[], vhost: string): Remedy {
  const pattern = `^(${names.map((name) => name.replaceAll(".", "\\.")).join("|")})$`;
  const at = vhost === "/" ? "" : ` -p ${shellWord(vhost)}`;
  return {
    where: "On a RabbitMQ host, if nobody is to read them",
    lines: [
      `rabbitmqctl set_policy${at} --apply-to queues unread-notifications \\`,
      `  ${shellWord(pattern)} \\`,
      `  '{"max-length": 10000}'`,
    ],
  };
}

/** Gives our user its rights. */
export function grant(
  { user, vhost, queue, exchanges }: {
    readonly user: string;
    readonly vhost: string;
    readonly queue: string;
    readonly exchanges: readonly string[];
  },
): Remedy {
  const own = `^${escaped(queue)}`;
  const read = `^(${[`${escaped(queue)}.*`, ...exchanges.map(escaped)].join("|")})$`;
  return {
    where: "On a RabbitMQ host",
    lines: [
      `rabbitmqctl set_permissions -p ${shellWord(vhost)} ${shellWord(user)} \\`,
      `  ${shellWord(own)} ${shellWord(own)} \\`,
      `  ${shellWord(read)}`,
    ],
  };
}

/** Binds a queue of others with `rabbitmqadmin`: `rabbitmqctl` cannot. */
export function bind(
  { exchange, queue, vhost }: { readonly exchange: string; readonly queue: string; readonly vhost: string },
): readonly string[] {
  return [
    `rabbitmqadmin -V ${shellWord(vhost)} declare binding source=${shellWord(exchange)} \\`,
    `  destination=${shellWord(queue)} routing_key=${shellWord(queue)}`,
  ];
}

function escaped(name: string): string {
  return name.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
