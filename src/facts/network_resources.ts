import type { DecisionContext, Finding } from "./decision_context.ts";

/**
 * Applies each resource of a notification and returns the finding of the last one; the events of
 * all are kept.
 */
export function decideEach<State>(states: readonly State[], act: (state: State) => Finding): Finding {
  let finding: Finding = { outcome: "remembered", reason: "the notification names no resource that is known" };
  for (const state of states) finding = act(state);
  return finding;
}

/** The time of a deletion. `updated_at` in its message is the time of the last change before it. */
export function endedAt(
  { notification }: DecisionContext,
  { updatedAt = null }: { readonly updatedAt?: string | null },
): string | null {
  return notification.time ?? updatedAt;
}
