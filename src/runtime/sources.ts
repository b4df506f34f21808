import type { Config, RabbitSource } from "../model/config.ts";

/** The queues of a configuration; none without a `rabbit` section. */
export function configuredSources({ rabbit }: Config): readonly RabbitSource[] {
  if (rabbit === undefined) return [];
  return Array.isArray(rabbit) ? rabbit as readonly RabbitSource[] : [rabbit as RabbitSource];
}
