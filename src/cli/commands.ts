import type { Command } from "commander";
import type { CommandContext } from "./context.ts";

/** A command as the program knows it before anybody asks for it. */
export interface CommandRow {
  readonly name: string;
  /** Its line in the list of commands. */
  readonly summary: string;
  /** Loads what it is made of: `--help` and other commands need none of that. */
  readonly load: () => Promise<(context: CommandContext) => Command>;
}

/** The commands in the order of the help: setting up, looking, operating. */
export const COMMANDS: readonly CommandRow[] = [
  {
    name: "init",
    summary: "write a directory that works at once",
    load: async () => (await import("./init.ts")).initCommand,
  },
  {
    name: "new",
    summary: "write something to start from, as a plugin",
    load: async () => (await import("./new_plugin.ts")).newCommand,
  },
  {
    name: "migrate",
    summary: "write the config.ts that an INI file comes to",
    load: async () => (await import("./migrate.ts")).migrateCommand,
  },
  {
    name: "check",
    summary: "tell everything that is wrong with the configuration",
    load: async () => (await import("./check.ts")).checkCommand,
  },
  {
    name: "doctor",
    summary: "find out why nothing arrives, and what would mend it",
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
    name: "events",
    summary: "what happened to whom; try again, give up",
    load: async () => (await import("./events.ts")).eventsCommand,
  },
  {
    name: "plugins",
    summary: "how each target is and what waits for it; try now",
    load: async () => (await import("./plugins.ts")).pluginsCommand,
  },
  {
    name: "prime",
    summary: "remember what OpenStack has and the ledger lacks",
    load: async () => (await import("./prime.ts")).primeCommand,
  },
  {
    name: "backup",
    summary: "write a consistent copy of the ledger",
    load: async () => (await import("./backup.ts")).backupCommand,
  },
  {
    name: "queue",
    summary: "remove oss-watcher's own queue, to take it away",
    load: async () => (await import("./queue.ts")).queueCommand,
  },
];
