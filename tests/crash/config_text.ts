// The config.ts of all processes of a trial: one text, which takes what differs from the environment.
import { targetPort } from "./member.ts";

export interface ConfigOptions {
  readonly plugins: readonly string[];
  readonly queue: Readonly<Record<string, unknown>>;
  /** `retry` of config.ts. */
  readonly retry: Readonly<Record<string, unknown>>;
  /** TypeScript: `ledger` of config.ts. */
  readonly ledger: string;
  /** Whether changes are followed. */
  readonly follows: boolean;
  /** TypeScript that it begins with. */
  readonly preamble: string;
}

/** Short, so that some changes become one update, and some do not. */
const SETTLE_SECONDS = 0.3;

/** The run's number is the user's name: a receiver sees which process a request is from. */
export function configText({ plugins, queue, retry, ledger, follows, preamble }: ConfigOptions): string {
  const made = plugins.map((name, index) => {
    const urls = { urlCreation: "/created", urlDeletion: "/deleted", ...follows ? { urlUpdate: "/updated" } : {} };
    const given = JSON.stringify({ name, host: "http://127.0.0.1", ...urls });
    return `new RestNotify({ ...${given}, port: Number(env("${targetPort(index)}")), user: env("RUN") })`;
  });
  return `${preamble}
import { type Config, env } from "oss-watcher";
import { RestNotify } from "oss-watcher/plugins";

export default {
  events: {
    creation: ["compute.instance.create.end", "floatingip.update.end"],
    deletion: ["compute.instance.delete.end", "floatingip.update.end"],
    ${follows ? `update: ["FQDN", "Owner"], settleSeconds: ${SETTLE_SECONDS},` : ""}
  },
  plugins: [${made.join(", ")}],
  rabbit: { url: env("RABBIT_URL"), queue: ${JSON.stringify(queue)} },
  retry: ${JSON.stringify(retry)},
  ledger: ${ledger},
} satisfies Config;
`;
}
