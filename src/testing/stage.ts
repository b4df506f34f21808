import type { Plugin, Subject } from "../../mod.ts";
import { attempt, type AttemptOptions, succeed, type Verdict } from "./attempt.ts";
import type { PluginContract } from "./plugin_contract.ts";
import type { SampleEvent } from "./sample_event.ts";
import type { TakenBy, TargetHarness } from "./target_harness.ts";

/** One target and one plugin for it, for one test. */
export class Stage<Target extends TargetHarness> implements AsyncDisposable {
  readonly target: Target;
  readonly plugin: Plugin;
  readonly #secrets: readonly string[];

  private constructor(contract: PluginContract<Target>, target: Target) {
    this.target = target;
    this.plugin = contract.make(target);
    this.#secrets = contract.secrets ?? [];
  }

  static async open<Target extends TargetHarness>(contract: PluginContract<Target>): Promise<Stage<Target>> {
    return new Stage(contract, await contract.openTarget());
  }

  /** One attempt, whatever becomes of it. */
  attempt(event: SampleEvent, options: Pick<AttemptOptions, "signal"> = {}): Promise<Verdict> {
    return attempt(this.plugin, event, { secrets: this.#secrets, ...options });
  }

  /** One attempt that must be done. */
  succeed(event: SampleEvent): Promise<void> {
    return succeed(this.plugin, event, { secrets: this.#secrets });
  }

  async taken(): Promise<TakenBy<Target>[]> {
    return [...await this.target.taken()] as TakenBy<Target>[];
  }

  /** The plugin first, so that it can say good-bye. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.target.behave("accepts");
    await this.plugin[Symbol.asyncDispose]?.();
    await this.target[Symbol.asyncDispose]();
  }
}

/** What the plugin acts on. */
export function subjectsOf(contract: Pick<PluginContract, "subjects">): readonly Subject[] {
  return contract.subjects ?? ["server", "floatingip"];
}
