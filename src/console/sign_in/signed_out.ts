import { join } from "node:path";
import type { EndedSessions } from "./sessions.ts";

const FILE = "console.signed-out";

/** Ids of sessions that were signed out, in a file of the state directory: a restart must not undo that. */
export class SignedOut implements EndedSessions {
  readonly #path: string;
  readonly #now: () => number;
  readonly #until: Map<string, number>;

  private constructor(path: string, { now, until }: { now: () => number; until: Map<string, number> }) {
    this.#path = path;
    this.#now = now;
    this.#until = until;
  }

  static async open(directory: string, now: () => number): Promise<SignedOut> {
    const path = join(directory, FILE);
    const text = await Deno.readTextFile(path).catch((error) => {
      if (error instanceof Deno.errors.NotFound) return "";
      throw error;
    });
    const until = new Map(
      text.split("\n").flatMap((line): [string, number][] => {
        const [id = "", expiresAt] = line.split(" ");
        return Number(expiresAt) > now() ? [[id, Number(expiresAt)]] : [];
      }),
    );
    return new SignedOut(path, { now, until });
  }

  has(id: string): boolean {
    return this.#until.has(id);
  }

  async add(id: string, expiresAt: number): Promise<void> {
    for (const [old, until] of this.#until) if (until <= this.#now()) this.#until.delete(old);
    this.#until.set(id, expiresAt);
    const lines = [...this.#until].map(([old, until]) => `${old} ${until}\n`);
    await Deno.writeTextFile(this.#path, lines.join(""), { mode: 0o600 });
  }
}
