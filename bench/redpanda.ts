// Redpanda Connect as a contender, with the configuration of an operator who wants events of the
// claimed types posted.
import { join } from "node:path";
import { findProgram } from "../tools/packages.ts";
import type { Running } from "./drain.ts";
import { CLAIMED } from "./mix.ts";

/**
 * The commands under which it may be installed: its own program, a subcommand of Redpanda's, its
 * former name.
 */
const COMMANDS: readonly (readonly string[])[] = [["redpanda-connect", "run"], ["rpk", "connect", "run"], [
  "benthos",
  "-c",
]];

/** Why there is no figure where it is missing. */
export const NOT_THERE = `not there: ${COMMANDS.map(([program]) => program).join(", ")} are not on PATH`;

/** How to start it with a configuration's file; `null` when none of its programs is on PATH. */
export function findRedpandaConnect(): readonly string[] | null {
  for (const [name = "", ...args] of COMMANDS) {
    const program = findProgram({ program: name, package: "" });
    if (program !== null) return [program, ...args];
  }
  return null;
}

export interface RedpandaOptions {
  readonly url: string;
  readonly queue: string;
  /** Of the receiver. */
  readonly port: number;
  /** Resolves with the time of the last delivery. */
  readonly finished: Promise<number>;
}

/** Starts it. It acknowledges a claimed message when its post was answered, and others at once. */
export function startRedpandaConnect(command: readonly string[], options: RedpandaOptions): Running {
  const dir = Deno.makeTempDirSync({ prefix: "oss-watcher-bench-" });
  const file = join(dir, "connect.yaml");
  Deno.writeTextFileSync(file, configOf(options));
  const [program = "", ...args] = command;
  const silent = { stdin: "null", stdout: "null", stderr: "null" } as const;
  const child = new Deno.Command(program, { args: [...args, file], ...silent }).spawn();
  const ended = child.status.then(({ code }) => {
    throw new Error(`${program} ended with ${code}`);
  });
  ended.catch(() => {});
  return {
    pid: child.pid,
    finished: Promise.race([options.finished, ended]),
    async end() {
      try {
        child.kill("SIGTERM");
      } catch {
        // It has ended by itself.
      }
      await child.status;
      await Deno.remove(dir, { recursive: true });
    },
  };
}

/**
 * Both layers of JSON are decoded, as oslo.messaging and we do; the detail has the keys that the
 * Python listener posts. JSON is YAML.
 *
 * Components `amqp_0_9` (input), `mapping` (processor), `http_client` (output) of Redpanda Connect
 * 4.
 */
export function configOf({ url, queue, port }: Pick<RedpandaOptions, "url" | "queue" | "port">): string {
  const config = {
    http: { enabled: false },
    logger: { level: "ERROR" },
    input: { amqp_0_9: { urls: [url], queue, prefetch_count: 500 } },
    pipeline: { processors: [{ mapping: MAPPING }] },
    output: {
      http_client: {
        url: `http://127.0.0.1:${port}/\${! @path }`,
        verb: "POST",
        headers: { "Content-Type": "application/json", "Idempotency-Key": "${! @key }" },
        max_in_flight: 8,
      },
    },
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}

const [CREATED, DELETED, ASSOCIATED] = CLAIMED.map((type) => JSON.stringify(type));

const MAPPING = `
let message = this."oslo.message".parse_json()
let payload = $message.payload
meta path = if $message.event_type == ${DELETED} { "deleted" } else { "created" }
meta key = $message.message_id
root = if [${CREATED}, ${DELETED}, ${ASSOCIATED}].contains($message.event_type) {
  {
    "ID": $payload.instance_id | null,
    "FQDN": $payload.hostname | null,
    "ProjectID": $payload.tenant_id | null,
    "UserID": $payload.user_id | null,
    "Ram": $payload.memory_mb | null,
    "CPU": $payload.vcpus | null,
    "Storage": $payload.disk_gb | null,
    "CreationDate": $payload.created_at | null,
    "Metadata": $payload.metadata | {},
    "Addresses": $payload.fixed_ips | []
  }
} else {
  deleted()
}
`;
