// The config.ts of the service on a real cloud.
import type { OpenStackOptions } from "../../src/model/config.ts";
import type { WatchOptions } from "./watch.ts";

export interface ConfigTextOptions extends Pick<WatchOptions, "rabbit" | "source" | "created" | "deleted"> {
  readonly openstack: OpenStackOptions;
  /** The receiver's. */
  readonly port: number;
}

export function configText({ rabbit, source, created, deleted, openstack, port }: ConfigTextOptions): string {
  const rest = { host: "http://127.0.0.1", port, urlCreation: "/created", urlDeletion: "/deleted" };
  return `import type { Config } from "oss-watcher";
import { RestNotify } from "oss-watcher/plugins";

export default {
  events: {
    creation: ["${created ?? "compute.instance.create.end"}", "floatingip.update.end"],
    deletion: ["${deleted ?? "compute.instance.delete.end"}", "floatingip.update.end"],
  },
  plugins: [new RestNotify(${JSON.stringify(rest)})],
  detail: { static: { Datacenter: "KDC" } },
  ledger: { file: "./ledger.db" },
  metrics: { port: 0 },
  rabbit: ${JSON.stringify({ url: rabbit.url, ...source })},
  openstack: ${JSON.stringify(openstack)},
} satisfies Config;
`;
}
