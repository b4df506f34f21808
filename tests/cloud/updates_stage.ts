// Takes the steps of a course before several services at once, each with its own configuration.
import type { CloudClient } from "../../tools/openstack/rest.ts";
import { progress } from "../../tools/packages.ts";
import type { Follower } from "./follower.ts";
import type { Expected } from "./step.ts";
import type { ServerRef } from "./tenant.ts";
import type { Truths } from "./told_judge.ts";
import { askTruth, type Truth } from "./truth.ts";

export interface UpdatesStep {
  readonly title: string;
  /** Keys that keep the values that were told last, whatever the APIs say. */
  readonly asTold?: readonly string[];
  /** Does it; returns what must come of it. */
  readonly act: () => Promise<readonly Expected[]>;
}

export class UpdatesStage {
  readonly #admin: CloudClient;
  readonly #followers: readonly Follower[];
  /** What the APIs said of each server after the last step that concerned it. */
  readonly #truths = new Map<string, Truth | null>();
  steps = 0;

  constructor(admin: CloudClient, followers: readonly Follower[]) {
    this.#admin = admin;
    this.#followers = followers;
  }

  /** Does one thing to the cloud, waits until all followers have been told of it, and compares. */
  async step({ title, asTold = [], act }: UpdatesStep): Promise<void> {
    this.steps++;
    progress(`  ${title}`);
    const expected = await act();
    await Promise.all(this.#followers.map(({ watch }) => watch.settle()));
    const truths = new Map<string, Truths>();
    for (const { server } of expected) {
      if (!truths.has(server.id)) truths.set(server.id, await this.#ask(server));
    }
    for (const follower of this.#followers) await follower.hold({ title, asTold, expected, truths });
  }

  async #ask(server: ServerRef): Promise<Truths> {
    const earlier = this.#truths.get(server.id) ?? null;
    const now = await askTruth(this.#admin, server);
    this.#truths.set(server.id, now);
    return { earlier, now };
  }
}
