import { randomBytes } from "node:crypto";
import type { Role } from "../api.ts";
import { signed, verified } from "./signing.ts";

/** How long a link is good for. */
export const LINK_SECONDS = 60;

/** What a link says: who signs in, and as what. */
export interface Link {
  readonly user: string;
  readonly role: Role;
}

interface SignedLink extends Link {
  readonly nonce: string;
  /** Milliseconds since the epoch. */
  readonly madeAt: number;
}

/** Makes the token of a link that signs in once. */
export function makeLink(
  { user, role }: Link,
  { secret, now }: { readonly secret: Uint8Array; readonly now: number },
): string {
  const link: SignedLink = { user, role, nonce: randomBytes(16).toString("base64url"), madeAt: now };
  return signed(link, { secret, purpose: "link" });
}

export interface LinksOptions {
  readonly secret: Uint8Array;
  readonly now: () => number;
  /** When this process began: links that are older may have been used before. */
  readonly startedAt: number;
}

/** Takes links, each once. */
export class Links {
  readonly #options: LinksOptions;
  /** Nonces of links that were used, and when they expire. */
  readonly #used = new Map<string, number>();

  constructor(options: LinksOptions) {
    this.#options = options;
  }

  /** Uses up a token; a text says why it is refused. */
  take(token: string): Link | string {
    const { secret, now, startedAt } = this.#options;
    const link = verified(token, { secret, purpose: "link" }) as SignedLink | undefined;
    if (link === undefined) return "its signature is wrong";
    const { user, role, nonce, madeAt } = link;
    const age = now() - madeAt;
    if (age > LINK_SECONDS * 1000 || age < -LINK_SECONDS * 1000) return `it is older than ${LINK_SECONDS} s`;
    if (madeAt < startedAt) return "it is older than this process";
    this.#forgetExpired();
    if (this.#used.has(nonce)) return "it was used before";
    this.#used.set(nonce, madeAt + 2 * LINK_SECONDS * 1000);
    return { user, role };
  }

  #forgetExpired(): void {
    for (const [nonce, until] of this.#used) if (until < this.#options.now()) this.#used.delete(nonce);
  }
}
