import type { Plugin, Subject } from "../../mod.ts";
import { attempt, type AttemptOptions, type SampleCall, succeed, type Verdict, within } from "./attempt.ts";
import type { PluginContract } from "./contract.ts";
import type { TakenBy, TargetHarness } from "./target_harness.ts";

/** Long enough for a slow machine, short enough for a person who waits. */
const DEADLINE_MS = 10_000;

/** One target and one plugin for it, for one test. */
export class Stage<Target extends TargetHarness> implements AsyncDisposable {
  readonly target: Target;
  readonly plugin: Plugin;
  readonly #options: AttemptOptions;

  private constructor(contract: PluginContract<Target>, target: Target) {
    this.target = target;
    this.plugin = contract.make(target);
    this.#options = { secrets: contract.secrets ?? [], deadlineMs: contract.deadlineMs ?? DEADLINE_MS };
  }

  static async open<Target extends TargetHarness>(contract: PluginContract<Target>): Promise<Stage<Target>> {
    return new Stage(contract, await contract.openTarget());
  }

  /** One attempt, with any outcome. */
  attempt(event: SampleCall, options: Pick<AttemptOptions, "signal"> = {}): Promise<Verdict> {
    return attempt(this.plugin, event, { ...this.#options, ...options });
  }

  /** One attempt that must succeed. */
  succeed(event: SampleCall): Promise<void> {
    return succeed(this.plugin, event, this.#options);
  }

  /** Resolves to the promise's value; fails if it takes too long. */
  within<T>(promise: T | Promise<T>, otherwise: string): Promise<T> {
    return within(Promise.resolve(promise), otherwise, this.#options.deadlineMs);
  }

  async taken(): Promise<TakenBy<Target>[]> {
    return [...await this.target.taken()] as TakenBy<Target>[];
  }

  /** The plugin is closed first, while its target still answers. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.target.behave("accepts");
    await this.plugin[Symbol.asyncDispose]?.();
    await this.target[Symbol.asyncDispose]();
  }
}

/** The subjects that the plugin acts on. */
export function subjectsOf(contract: Pick<PluginContract, "subjects">): readonly Subject[] {
  return contract.subjects ?? ["server", "floatingip"];
}
