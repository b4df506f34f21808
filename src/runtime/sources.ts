import type { Config, RabbitSource } from "../model/config.ts";

/** The sources of section `rabbit` in config.ts as a list; empty without that section. */
export function configuredSources({ rabbit }: Config): readonly RabbitSource[] {
  if (rabbit === undefined) return [];
  return Array.isArray(rabbit) ? rabbit as readonly RabbitSource[] : [rabbit as RabbitSource];
}
