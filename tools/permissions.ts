/**
 * The permissions of the released program, which tests use, too. It may run no programs, load no
 * native code and ask no questions.
 */
export const PERMISSIONS: readonly string[] = [
  "--no-prompt",
  "--allow-net",
  "--allow-read",
  "--allow-write",
  "--allow-env",
];
