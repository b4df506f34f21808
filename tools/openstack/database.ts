// The private MariaDB of a cloud's services.
import type { Daemon } from "../daemon.ts";
import type { Command } from "./programs.ts";
import { listens } from "./readiness.ts";
import { ADDRESS } from "./settings.ts";

export interface DatabaseStart {
  /** The cloud's folder. */
  readonly dir: string;
  readonly port: number;
  /** The password of the services' account `osw`. */
  readonly secret: string;
  /** Of the databases. */
  readonly names: readonly string[];
  readonly run: (name: string, command: Command) => Promise<string>;
  readonly start: (name: string, command: Command) => Daemon;
}

/** Starts it, and makes empty databases. */
export async function startDatabase({ dir, port, secret, names, run, start }: DatabaseStart): Promise<void> {
  const user = userName();
  const data = `${dir}/var/mysql`;
  await run("mysql-install", [
    "mariadb-install-db",
    ...["--no-defaults", `--user=${user}`, `--datadir=${data}`, "--skip-test-db"],
    ...["--auth-root-authentication-method=normal", "--skip-name-resolve"],
  ]);
  const daemon = start("mysql", [
    // Data need not survive a power cut: without waiting for the disk the schemas take a fifth of
    // the time.
    "eatmydata",
    "mariadbd",
    ...["--no-defaults", `--user=${user}`, `--datadir=${data}`],
    ...[`--socket=${dir}/mysql.sock`, `--pid-file=${dir}/mysql.pid`, `--bind-address=${ADDRESS}`, `--port=${port}`],
    ...["--skip-name-resolve", "--max-connections=600", "--innodb-flush-log-at-trx-commit=0"],
    ...["--innodb-buffer-pool-size=256M", "--character-set-server=utf8mb3"],
  ]);
  await daemon.until(() => listens(port));
  const sql = [
    ...names.map((name) => `CREATE DATABASE ${name} CHARACTER SET utf8mb3;`),
    `CREATE USER osw@'${ADDRESS}' IDENTIFIED BY '${secret}'; GRANT ALL ON *.* TO osw@'${ADDRESS}';`,
  ];
  await run("mysql-statements", sqlCommand(dir, sql.join(" ")));
}

/** Rows come as lines, with tabs between their values. */
export function sqlCommand(dir: string, statements: string): Command {
  const client = ["mariadb", "--no-defaults", "-uroot", "-S", `${dir}/mysql.sock`] as const;
  return [...client, "--batch", "--skip-column-names", "-e", statements];
}

export function userName(): string {
  return idOf("-un");
}

export function groupName(): string {
  return idOf("-gn");
}

function idOf(option: string): string {
  return new TextDecoder().decode(new Deno.Command("id", { args: [option] }).outputSync().stdout).trim();
}
