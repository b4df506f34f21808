/**
 * What the released program may do, and so what it may do wherever it is tried: no running of
 * programs, no foreign code, no questions.
 */
export const PERMISSIONS: readonly string[] = [
  "--no-prompt",
  "--allow-net",
  "--allow-read",
  "--allow-write",
  "--allow-env",
];
