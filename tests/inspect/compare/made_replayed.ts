import type { ReplayedEvent, Sent } from "../../../src/inspect/compare/replayed_event.ts";
import type { Detail } from "../../../src/model/detail.ts";

/** An event of a server, of which a plugin `P` sends its host name. */
export function madeReplayed(
  key: string,
  { name = "web-1", plugins = [{ name: "P", preview: name }], ...more }: {
    readonly name?: string;
    readonly plugins?: readonly Sent[];
  } & Partial<ReplayedEvent> = {},
): ReplayedEvent {
  const created = !key.endsWith("/deletion");
  const detail = { FQDN: name } as unknown as Detail;
  return { key, event: "compute.instance.create.end", time: null, created, detail, plugins, ...more };
}
