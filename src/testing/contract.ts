import type { FailureReason, Json, Plugin, Subject } from "../../mod.ts";
import type { SampleEvent } from "./sample_event.ts";
import type { SampleUpdate, SampleUpdateOptions } from "./sample_update.ts";
import type { Behaviour, TakenBy, TargetHarness } from "./target_harness.ts";

/**
 * A plugin and its target, as the contract needs them. Only the first three members are required;
 * each further one adds tests.
 */
export interface PluginContract<Target extends TargetHarness = TargetHarness> {
  /** For the names of the tests. */
  readonly name: string;
  /** Starts a target, for one test. */
  readonly openTarget: () => Target | Promise<Target>;
  /** Makes the plugin for this target. */
  readonly make: (target: Target) => Plugin;
  /** Behaviours that the target cannot show, each with the reason: their tests are skipped. */
  readonly cannot?: Readonly<Partial<Record<Behaviour, string>>>;
  /**
   * Other answers of the target, and what each must lead to. {@linkcode HTTP_ANSWERS} has those of
   * HTTP.
   */
  readonly answers?: readonly TargetAnswer<Target>[];
  /**
   * Passwords and the like that `make` and `right` use: no error, log, or preview may tell them.
   */
  readonly secrets?: readonly string[];
  /** The time limit of each step, in milliseconds. @default 10000 */
  readonly deadlineMs?: number;
  /** The subjects that the plugin acts on. @default ["server", "floatingip"] */
  readonly subjects?: readonly Subject[];
  /**
   * For the tests of the constructor and of `preview`, which run without any permission: a plugin
   * whose target is not there.
   */
  readonly right?: () => Plugin;
  /** Makes a plugin of which every option in `names` is wrong. */
  readonly wrong?: { readonly make: () => Plugin; readonly names: readonly string[] };
  /** Puts objects into the target that are not the plugin's: `list` must leave them out. */
  readonly foreign?: (target: Target) => void | Promise<void>;
  /** The value by which the receiver recognises the same event. */
  readonly identify?: (taken: TakenBy<Target>) => string;
  /**
   * The part that is equal for every attempt, without times of attempts and the like. @default all
   * of it
   */
  readonly stable?: (taken: TakenBy<Target>) => unknown;
  /** Fails unless the target has received the right values for the event. */
  readonly assertTaken?: (taken: TakenBy<Target>, event: SampleEvent) => void;
  /**
   * Fails unless the preview shows what the target has received. {@linkcode assertHttpPreview} is
   * one.
   */
  readonly assertPreview?: (preview: Json, taken: TakenBy<Target>) => void;
  /**
   * What changes in the updates that a plugin with a method `update` is told of: something that
   * the target must be told. @default as `sampleUpdate` changes it
   */
  readonly updated?: NonNullable<SampleUpdateOptions["detail"]>;
  /** Fails unless the target has received the right values for the update. */
  readonly assertUpdated?: (taken: TakenBy<Target>, update: SampleUpdate) => void;
  /**
   * Fails unless the preview of an update shows what the target has received, or holds by then.
   *
   * @default assertPreview
   */
  readonly assertUpdatePreview?: (preview: Json, taken: TakenBy<Target>) => void;
}

/** One answer of a target, and what an attempt that gets it must lead to. */
export interface TargetAnswer<Target extends TargetHarness> {
  /** What the target does, as `answers 503`. */
  readonly name: string;
  /** Makes the target answer so from here on. */
  readonly prepare: (target: Target) => void | Promise<void>;
  /** What becomes of the delivery. */
  readonly outcome: "done" | "retry" | "permanent";
  /**
   * The target answers that the object does not exist: a removal may count as done. @default false
   */
  readonly isAbsence?: boolean;
  /** The reason that the error must give. @default any */
  readonly reason?: FailureReason;
  /** How long the error must say to wait, in milliseconds. @default any */
  readonly retryAfterMs?: number;
}

/** One test of the contract. */
export interface ContractTest {
  /** What the plugin must do, and when. */
  readonly name: string;
  /** Why it cannot be run. */
  readonly skipped?: string;
  /** It must be run without any permission. */
  readonly needsNothing?: boolean;
  /** Fails by throwing. */
  readonly run: () => void | Promise<void>;
}
