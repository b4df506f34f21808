import assert from "node:assert/strict";
import { openDatabase } from "../../src/ledger/sqlite/database.ts";
import { SqliteLedger } from "../../src/ledger/sqlite/ledger.ts";
import { ShellDirectory, type ShellName } from "../support/interactive_shell.ts";
import { announceEvents, madeEvent, settlementOf } from "../support/made_events.ts";

const HOSTILE = "hostile $(touch pwned)`touch pwned`;touch pwned&|'\"*?~#!{a,b}\\[x]<>=:%é東/creation";
const KEYS = [
  "plain-1/creation",
  HOSTILE,
  "newline\ntouch pwned\n/creation",
  "escape\x1b[2J/creation",
  "bidi\u202e/creation",
  "dead-1/creation",
  "colon:1/creation",
];
const PLUGIN = "Rest $(touch pwned) `touch pwned`";

async function prepare(dir: ShellDirectory): Promise<void> {
  using database = openDatabase(dir.path("ledger.db"), { create: true });
  const ledger = new SqliteLedger(database, () => 0);
  await ledger.activate([PLUGIN, "Other"]);
  await announceEvents(ledger, KEYS.map((key) => madeEvent(key, [key])));
  for (const delivery of await ledger.ready({ plugin: "Other", now: Number.MAX_SAFE_INTEGER, limit: 99 })) {
    if (delivery.event.key !== "dead-1/creation") continue;
    await ledger.settle([settlementOf(delivery, { outcome: "dead", endedAt: 0 })]);
  }
}

const SHOW = "oss-watcher events show --ledger ledger.db ";

const SHELLS = ["bash", "zsh", "fish"] as const satisfies readonly ShellName[];

for (const shell of SHELLS) {
  Deno.test(`${shell} completes commands, options, closed lists, files, plugins and keys`, async () => {
    using dir = new ShellDirectory({ "sample one.json": "{}", "folder/x": "", "folder-file": "" });
    await prepare(dir);
    const words = await dir.typeIn(shell, [
      "oss-watcher rec\b\b\brecon\t",
      "oss-watcher events sh\t",
      "oss-watcher events --sta\t",
      "oss-watcher events --state supe\t",
      "oss-watcher events --state=supe\t",
      "oss-watcher help mig\t",
      "oss-watcher --dry-run sam\t",
      "oss-watcher init fold\t",
      "oss-watcher events --ledger ledger.db --plugin Oth\t",
      "oss-watcher events --ledger ledger.db --plugin=Oth\t",
      "oss-watcher plugins try --ledger=ledger.db Oth\t",
      `${SHOW}pla\t`,
      `${SHOW}'pla\t`,
      `${SHOW}"pla\t`,
      `${SHOW}colon:\t`,
    ]);
    const show = SHOW.trim().split(" ");
    const ledger = ["--ledger", "ledger.db"];
    // zsh takes the slash of a directory away again.
    assert.deepEqual(words.map((line) => line.map((word) => word.replace(/\/$/, ""))), [
      ["oss-watcher", "reconcile"],
      ["oss-watcher", "events", "show"],
      ["oss-watcher", "events", "--state"],
      ["oss-watcher", "events", "--state", "superseded"],
      ["oss-watcher", "events", "--state=superseded"],
      ["oss-watcher", "help", "migrate"],
      ["oss-watcher", "--dry-run", "sample one.json"],
      ["oss-watcher", "init", "folder"],
      ["oss-watcher", "events", ...ledger, "--plugin", "Other"],
      ["oss-watcher", "events", ...ledger, "--plugin=Other"],
      ["oss-watcher", "plugins", "try", "--ledger=ledger.db", "Other"],
      [...show, "plain-1/creation"],
      [...show, "plain-1/creation"],
      [...show, "plain-1/creation"],
      [...show, "colon:1/creation"],
    ]);
  });

  Deno.test(`${shell} takes hostile names as they are, runs nothing of them, and none that it could not show`, async () => {
    using dir = new ShellDirectory({});
    await prepare(dir);
    const words = await dir.typeIn(shell, [
      `${SHOW}hos\t`,
      `oss-watcher plugins try --ledger ledger.db Res\t`,
      `${SHOW}newl\t`,
      `${SHOW}esc\t`,
      `${SHOW}bid\t`,
    ]);
    const screen = await dir.screen(shell, [shell === "fish" ? `complete -C '${SHOW}'` : `${SHOW}\t\t`]);
    const show = SHOW.trim().split(" ");
    assert.deepEqual(words, [
      [...show, HOSTILE],
      ["oss-watcher", "plugins", "try", "--ledger", "ledger.db", PLUGIN],
      [...show, "newl"],
      [...show, "esc"],
      [...show, "bid"],
    ]);
    assert.match(screen, /plain-1/);
    assert.doesNotMatch(screen, /\[2J|\u202e/);
    assert.equal(await Deno.stat(dir.path("pwned")).then(() => true, () => false), false);
  });
}

for (
  const [shell, how, setup] of [
    ["bash", "strict options", "set -u -f -C; shopt -s failglob nocasematch; source <(oss-watcher completion bash)"],
    ["bash", "a file that bash-completion loads", "oss-watcher completion bash >f; . f"],
    [
      "zsh",
      "options of another shell",
      "setopt nounset kshglob cshnullglob noclobber; autoload -Uz compinit; compinit -u -D; source <(oss-watcher completion zsh)",
    ],
    [
      "zsh",
      "a file in fpath",
      "oss-watcher completion zsh >_oss-watcher; fpath=($PWD $fpath); autoload -Uz compinit; compinit -u -D",
    ],
    [
      "fish",
      "a file of its directory",
      "mkdir d; oss-watcher completion fish >d/oss-watcher.fish; set -g fish_complete_path $PWD/d $fish_complete_path",
    ],
  ] as const
) {
  Deno.test(`${shell} completes with ${how}`, async () => {
    using dir = new ShellDirectory({ "sample one.json": "{}" });
    await prepare(dir);
    const lines = [`${SHOW}hos\t`, "oss-watcher --dry-run sam\t", "oss-watcher --debug events --state=supe\t"];
    assert.deepEqual(await dir.typeIn(shell, lines, shell === "zsh" ? `bindkey -e; ${setup}` : setup), [
      [...SHOW.trim().split(" "), HOSTILE],
      ["oss-watcher", "--dry-run", "sample one.json"],
      ["oss-watcher", "--debug", "events", "--state=superseded"],
    ]);
  });
}
