import type { PrivateNetBox } from "../../tools/netbox/server.ts";
import type { RequestHandler } from "../support/http_proxy.ts";
import { type Exchange, readConversation, recording, Replay, REPLAYED_TOKENS, type Tokens } from "./conversation.ts";
import { NetBoxClient } from "./netbox_client.ts";
import { seed } from "./seed.ts";

/** A NetBox for one scenario: it holds what people made, and nothing of ours. */
export interface OpenedNetBox {
  readonly handle: RequestHandler;
  readonly tokens: Tokens;
  /** Puts something into a real NetBox; what a recorded one was given is in its answers. */
  readonly prepare: (put: (client: NetBoxClient) => Promise<void>) => Promise<void>;
  /** Fails when the conversation was another one than the recorded. */
  readonly assertSame: () => void;
}

/** Where tests get their NetBox from: a real one, or a recorded one. */
export interface NetBoxSource {
  open(scenario: string): Promise<OpenedNetBox>;
}

/** A real NetBox; what is said is noted. */
export class RealNetBox implements NetBoxSource {
  readonly exchanges: Exchange[] = [];
  readonly #netbox: PrivateNetBox;

  constructor(netbox: PrivateNetBox) {
    this.#netbox = netbox;
  }

  async open(scenario: string): Promise<OpenedNetBox> {
    const { url, tokens } = this.#netbox;
    const client = new NetBoxClient(url, tokens.admin);
    await seed(client);
    await client.clear();
    return {
      handle: recording(url, { scenario, tokens, exchanges: this.exchanges }),
      tokens,
      prepare: (put) => put(client),
      assertSame: () => {},
    };
  }
}

/** The conversation with a real NetBox that was recorded. */
export class RecordedNetBox implements NetBoxSource {
  #conversation: ReadonlyMap<string, readonly Exchange[]> | undefined;

  async open(scenario: string): Promise<OpenedNetBox> {
    this.#conversation ??= await readConversation();
    const replay = new Replay(scenario, this.#conversation.get(scenario) ?? []);
    return {
      handle: replay.handle,
      tokens: REPLAYED_TOKENS,
      prepare: () => Promise.resolve(),
      assertSame: () => replay.assertSame(),
    };
  }
}
