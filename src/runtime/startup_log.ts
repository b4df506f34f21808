import { followingOf } from "../model/following.ts";
import type { Broker } from "../rabbitmq/consumer.ts";
import type { ServiceOptions } from "./service_options.ts";

/** Logs queues, events, plugins and brokers at the start, in the words of the first generation. */
export function logStartup({ config, plugins, loadedLines, log }: ServiceOptions, brokers: readonly Broker[]): void {
  const service = log("service");
  for (const { queue } of brokers) service.info(`Listen queue ${queue}`);
  service.info(`Handled events of creation: ${config.events.creation.join(", ") || "none"}`);
  service.info(`Handled events of deletion: ${config.events.deletion.join(", ") || "none"}`);
  const following = followingOf(config.events);
  if (following !== null) {
    const keys = following.keys === "all" ? "all keys" : [...following.keys].join(", ");
    const followers = [...plugins].filter(([, { update }]) => update !== undefined).map(([name]) => name);
    service.info(`Updates of servers: ${keys}, told to ${followers.join(", ")}`);
  }
  for (const line of loadedLines) service.info(line);
  for (const { addresses } of brokers) log("base_connection").info(`Connecting to ${addresses.join(", ")}`);
}
