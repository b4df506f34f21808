/**
 * A comparison that cannot conclude anything, and why, for operators. OpenStack answers, but what
 * it answers cannot be trusted.
 */
export class NoConclusion extends Error {
  override readonly name = "NoConclusion";
}
