/**
 * The permissions of the released program, which tests use, too. It may load no native
 * code, ask no questions, and run two programs, which open a browser: the command `console` alone
 * does, and all others give that permission back.
 */
export const PERMISSIONS: readonly string[] = [
  "--no-prompt",
  "--allow-net",
  "--allow-read",
  "--allow-write",
  "--allow-env",
  "--allow-run=xdg-open,open",
];
