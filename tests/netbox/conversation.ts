// What a real NetBox was asked and answered, to be told again where there is none.
import assert from "node:assert/strict";
import type { ProxiedAnswer, ProxiedRequest, RequestHandler } from "../support/http_proxy.ts";
import { passedOnTo } from "../support/http_proxy.ts";

/** The users of NetBox, by whom requests are told apart; their tokens are not recorded. */
export const ROLES = ["admin", "watcher", "legacy", "powerless"] as const;
export type Role = typeof ROLES[number];
export type Tokens = Readonly<Record<Role, string>>;

/** One request and its answer. */
export interface Exchange {
  readonly scenario: string;
  readonly request: string;
  readonly status: number;
  readonly answer: string;
}

/** Tokens where there is no NetBox. */
export const REPLAYED_TOKENS: Tokens = {
  admin: "nbt_AAAAAAAAAAAA.of-the-recorded-admin",
  watcher: "nbt_BBBBBBBBBBBB.of-the-recorded-watcher",
  legacy: "cccccccccccccccccccccccccccccccccccccccc",
  powerless: "nbt_DDDDDDDDDDDD.of-the-recorded-powerless",
};

const FILE = new URL("../data/netbox.jsonl.gz", import.meta.url);
/** Asked by attempts that run at the same time, once or more often. */
const ASKED_AT_ANY_TIME = /^\w+ GET \/api\/extras\//;

/** Passes requests of a scenario on to a real NetBox, and notes them. */
export function recording(
  url: string,
  { scenario, tokens, exchanges }: {
    readonly scenario: string;
    readonly tokens: Tokens;
    readonly exchanges: Exchange[];
  },
): RequestHandler {
  const passOn = passedOnTo(url);
  return async (request) => {
    const answer = await passOn(request);
    // The port is another one each time.
    const text = answer.body.replaceAll(url, "http://netbox.test");
    exchanges.push({ scenario, request: keyOf(request, tokens), status: answer.status, answer: text });
    return { ...answer, body: text };
  };
}

/** Answers the requests of a scenario as NetBox did, each time in turn. */
export class Replay {
  readonly #answers = new Map<string, ProxiedAnswer[]>();
  readonly #scenario: string;
  /** Requests that were not recorded, or not as often. */
  readonly unknown: string[] = [];

  constructor(scenario: string, exchanges: readonly Exchange[]) {
    this.#scenario = scenario;
    for (const { request, status, answer } of exchanges) {
      this.#answers.set(request, [...this.#answers.get(request) ?? [], { status, body: answer }]);
    }
  }

  readonly handle: RequestHandler = (request) => {
    const key = keyOf(request, REPLAYED_TOKENS);
    const answers = this.#answers.get(key) ?? [];
    const answer = answers.length === 1 && ASKED_AT_ANY_TIME.test(key) ? answers[0] : answers.shift();
    if (answer !== undefined) return answer;
    this.unknown.push(key);
    return { status: 599, body: JSON.stringify({ detail: "not recorded" }) };
  };

  /** Fails when a request was made that was not recorded, or one was recorded that was not made. */
  assertSame(): void {
    assert.deepEqual(
      this.unknown,
      [],
      `${this.#scenario}: not recorded. Record anew: OSS_WATCHER_NETBOX_RECORD=1 deno task test:netbox`,
    );
    const left = [...this.#answers].filter(([key, answers]) => answers.length > 0 && !ASKED_AT_ANY_TIME.test(key));
    assert.deepEqual(left.map(([key]) => key), [], `${this.#scenario}: recorded, and not asked`);
  }
}

/** A request as it is compared: by whom, and what. */
function keyOf({ method, path, authorization, body }: ProxiedRequest, tokens: Tokens): string {
  const [scheme, token] = authorization.split(" ");
  const role = ROLES.find((role) => tokens[role] === token);
  const as = role === undefined ? "nobody" : role;
  return `${as} ${method} ${path}${scheme === "Token" ? " (Token)" : ""}${body === "" ? "" : ` ${body}`}`;
}

/** All recorded exchanges, by their scenarios. */
export async function readConversation(): Promise<ReadonlyMap<string, readonly Exchange[]>> {
  const stream = (await Deno.open(FILE)).readable.pipeThrough(new DecompressionStream("gzip"));
  const text = await new Response(stream).text();
  const all = text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as Exchange);
  return Map.groupBy(all, ({ scenario }) => scenario);
}

/** Replaces the recorded exchanges. */
export async function writeConversation(exchanges: readonly Exchange[]): Promise<void> {
  const text = exchanges.map((one) => `${JSON.stringify(one)}\n`).join("");
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  await Deno.writeFile(FILE, new Uint8Array(await new Response(stream).arrayBuffer()));
}
