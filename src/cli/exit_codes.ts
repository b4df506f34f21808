/** 1: a mistake of the user, or a failure. */
export const EXIT_FAILURE = 1;
export const EXIT_USAGE = 2;
export const EXIT_NOTHING = 3;
export const EXIT_DIFFERENCES = 3;
/** Told to stop a second time. */
export const EXIT_KILLED = 130;
/** As a shell reports SIGPIPE. */
export const EXIT_UNREAD = 141;

/** The exit codes of all commands: docs/OPERATIONS.md and the manual page have this table. */
export const EXIT_CODES: readonly (readonly [code: number, meaning: string])[] = [
  [0, "done; agreement; a dry run in which something would be sent"],
  [
    EXIT_FAILURE,
    "bad input or configuration, a refused password, a queue or ledger in use, a service that does not answer; " +
    "of check and doctor: errors were found; of events replay and drop: not all was done; of reconcile and audit: nothing " +
    "can be concluded; of processes: none runs",
  ],
  [EXIT_USAGE, "wrong usage of the command line"],
  [
    EXIT_DIFFERENCES,
    "nothing to send, nothing came, or differences were found: a dry run in which nothing would be sent; record and doctor when nothing came; reconcile " +
    "and audit when something differs and was not repaired; diff and test when something differs; status when something is wrong",
  ],
  [EXIT_KILLED, "ended by a second signal"],
  [EXIT_UNREAD, "the reader of the output has ended, as with | head"],
];
