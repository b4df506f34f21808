import type { Config } from "../../model/config.ts";
import type { LiveSource } from "../../model/live_service.ts";
import type { SourceState } from "../../model/readings.ts";
import { endpointsOf } from "../../rabbitmq/address.ts";
import { configuredSources } from "../../runtime/sources.ts";

/** The sources of config.ts with the states that the service tells of them, by their numbers. */
export function liveSources(config: Config, states: readonly SourceState[]): readonly LiveSource[] {
  const sources = configuredSources(config);
  return states.map((state, index) => {
    const source = sources[index];
    if (source === undefined) return { broker: `source ${index}`, queue: "", ...state };
    const endpoints = endpointsOf(source);
    const vhost = endpoints[0]?.vhost ?? "/";
    const broker = `${endpoints.map(({ label }) => label).join(",")}/${vhost === "/" ? "" : vhost}`;
    return { broker, queue: source.queue?.name ?? source.watchQueue ?? "", ...state };
  });
}
