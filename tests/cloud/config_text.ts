// The config.ts of the service on a real cloud.
import type { Events, OpenStackOptions } from "../../src/model/config.ts";
import type { OptionalKey } from "../../src/model/detail.ts";
import type { WatchOptions } from "./watch.ts";

export interface ConfigTextOptions extends Pick<WatchOptions, "rabbit" | "source" | "created" | "deleted"> {
  readonly openstack: OpenStackOptions;
  readonly follow?: Follow | undefined;
  /** The receiver's. */
  readonly port: number;
}

/** Which changes of servers the service follows. */
export interface Follow extends Pick<Events, "update" | "settleSeconds"> {
  readonly optional: readonly OptionalKey[];
  /** Whether associations are announced. */
  readonly hasAssociations: boolean;
}

export function configText(options: ConfigTextOptions): string {
  const { rabbit, source, created, deleted, openstack, follow, port } = options;
  const associations = follow?.hasAssociations === false ? [] : ["floatingip.update.end"];
  const events = {
    creation: [created ?? "compute.instance.create.end", ...associations],
    deletion: [deleted ?? "compute.instance.delete.end", ...associations],
    ...follow && { update: follow.update, settleSeconds: follow.settleSeconds },
  };
  const detail = { static: { Datacenter: "KDC" }, ...follow && { optional: follow.optional } };
  return `import type { Config, Detail, NotifyContext, UpdateContext } from "oss-watcher";
import { RestNotify } from "oss-watcher/plugins";
${FOLLOWER}
export default {
  events: ${JSON.stringify(events)},
  plugins: [${follow ? `new Follower(${port})` : restNotify(port)}],
  detail: ${JSON.stringify(detail)},
  ledger: { file: "./ledger.db" },
  metrics: { port: 0 },
  console: false,
  rabbit: ${JSON.stringify({ url: rabbit.url, ...source })},
  openstack: ${JSON.stringify(openstack)},
} satisfies Config;
`;
}

function restNotify(port: number): string {
  const options = { host: "http://127.0.0.1", port, urlCreation: "/created", urlDeletion: "/deleted" };
  return `new RestNotify(${JSON.stringify(options)})`;
}

/** A plugin that passes on all that it is told. */
const FOLLOWER = `
class Follower {
  constructor(readonly port: number) {}
  notify(detail: Detail, created: boolean, context: NotifyContext): Promise<void> {
    return this.#post(created ? "created" : "deleted", detail, context);
  }
  update(detail: Detail, context: UpdateContext): Promise<void> {
    const { before, changed } = context;
    return this.#post("updated", { detail, before, changed }, context);
  }
  async #post(path: string, body: unknown, { key, signal }: NotifyContext | UpdateContext): Promise<void> {
    const headers = { "idempotency-key": key };
    const request = { method: "POST", headers, body: JSON.stringify(body), signal };
    const response = await fetch(\`http://127.0.0.1:\${this.port}/\${path}\`, request);
    await response.body?.cancel();
    if (!response.ok) throw new Error(\`The receiver answered \${response.status}\`);
  }
}
`;
