import type { Command } from "commander";
import type { CommandContext } from "./context.ts";

/** A command that is not loaded yet. */
export interface CommandRow {
  readonly name: string;
  /** Its line in the list of commands. */
  readonly summary: string;
  /** Imports its modules, which `--help` and other commands do not need. */
  readonly load: () => Promise<(context: CommandContext) => Command>;
}

/** The commands in the order of the help: setting up, looking, operating. */
export const COMMANDS: readonly CommandRow[] = [
  {
    name: "init",
    summary: "write a directory with config.ts, a plugin, samples",
    load: async () => (await import("./init.ts")).initCommand,
  },
  {
    name: "new",
    summary: "write a plugin to start from",
    load: async () => (await import("./new_plugin.ts")).newCommand,
  },
  {
    name: "migrate",
    summary: "convert an INI file to a config.ts",
    load: async () => (await import("./migrate.ts")).migrateCommand,
  },
  {
    name: "check",
    summary: "report every mistake of the configuration",
    load: async () => (await import("./check.ts")).checkCommand,
  },
  {
    name: "config",
    summary: "show the configuration that counts, or its schema",
    load: async () => (await import("./config.ts")).configCommand,
  },
  {
    name: "doctor",
    summary: "find out why nothing arrives, and how to mend it",
    load: async () => (await import("./doctor.ts")).doctorCommand,
  },
  {
    name: "tail",
    summary: "show events as they happen",
    load: async () => (await import("./tail.ts")).tailCommand,
  },
  {
    name: "record",
    summary: "write notifications to a file, without secrets",
    load: async () => (await import("./record.ts")).recordCommand,
  },
  {
    name: "diff",
    summary: "compare what two configurations would send",
    load: async () => (await import("./diff.ts")).diffCommand,
  },
  {
    name: "test",
    summary: "replay recorded histories, compare what would be sent",
    load: async () => (await import("./test_histories.ts")).testCommand,
  },
  {
    name: "status",
    summary: "show on one screen how the service does",
    load: async () => (await import("./status.ts")).statusCommand,
  },
  {
    name: "events",
    summary: "list deliveries; retry or give up some",
    load: async () => (await import("./events.ts")).eventsCommand,
  },
  {
    name: "plugins",
    summary: "show each target and its backlog; try, pause one",
    load: async () => (await import("./plugins.ts")).pluginsCommand,
  },
  {
    name: "processes",
    summary: "show which processes share the ledger",
    load: async () => (await import("./processes.ts")).processesCommand,
  },
  {
    name: "console",
    summary: "print a link to the pages for operators",
    load: async () => (await import("./console.ts")).consoleCommand,
  },
  {
    name: "prime",
    summary: "remember resources that the ledger lacks",
    load: async () => (await import("./prime.ts")).primeCommand,
  },
  {
    name: "reconcile",
    summary: "compare what was told with OpenStack; tell the rest",
    load: async () => (await import("./reconcile.ts")).reconcileCommand,
  },
  {
    name: "audit",
    summary: "compare what targets hold with what was delivered",
    load: async () => (await import("./audit.ts")).auditCommand,
  },
  {
    name: "audit-log",
    summary: "list what operators have done",
    load: async () => (await import("./audit_log.ts")).auditLogCommand,
  },
  {
    name: "backup",
    summary: "write a consistent copy of the ledger",
    load: async () => (await import("./backup.ts")).backupCommand,
  },
  {
    name: "ledger",
    summary: "move the ledger to PostgreSQL, or back",
    load: async () => (await import("./ledger.ts")).ledgerCommand,
  },
  {
    name: "queue",
    summary: "remove oss-watcher's own queue, to uninstall",
    load: async () => (await import("./queue.ts")).queueCommand,
  },
  {
    name: "completion",
    summary: "print a script that makes a shell complete commands",
    load: async () => (await import("./completion.ts")).completionCommand,
  },
];

/** What the scripts of `completion` call. No help lists it. */
export const COMPLETE: CommandRow = {
  name: "complete",
  summary: "",
  load: async () => (await import("./complete.ts")).completeCommand,
};
