import assert from "node:assert/strict";
import { ProgramDirectory, type ProgramRun, runProgram } from "../support/program.ts";

const PERMISSIONS = ["--allow-read", "--allow-write", "--allow-env"];

/** Runs a command on a terminal of its own. */
const ON_A_TERMINAL = [
  "python3",
  "-c",
  "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))",
];

const CONFIG = `export default {
  events: { creation: ["compute.instance.create.end"], deletion: [] },
  plugins: [{ name: "Silent", notify() {} }],
  ledger: { file: "./ledger.db" },
};
`;

const CASES: readonly { readonly name: string; readonly coloured: boolean; readonly run: Partial<ProgramRun> }[] = [
  { name: "on a terminal", coloured: true, run: { prefix: ON_A_TERMINAL, env: { NO_COLOR: "", TERM: "xterm" } } },
  { name: "on a terminal with NO_COLOR", coloured: false, run: { prefix: ON_A_TERMINAL, env: { NO_COLOR: "1" } } },
  {
    name: "on a terminal that has none",
    coloured: false,
    run: { prefix: ON_A_TERMINAL, env: { NO_COLOR: "", TERM: "dumb" } },
  },
  {
    name: "on a terminal with NO_COLOR and --color=always",
    coloured: true,
    run: { args: ["check", "--color=always"], prefix: ON_A_TERMINAL, env: { NO_COLOR: "1" } },
  },
  {
    name: "on a terminal with --color never, before the command",
    coloured: false,
    run: { args: ["--color", "never", "check"], prefix: ON_A_TERMINAL, env: { NO_COLOR: "", TERM: "xterm" } },
  },
  { name: "in a pipe with --color=always", coloured: true, run: { args: ["check", "--color=always"] } },
  {
    name: "in a pipe with --color=auto",
    coloured: false,
    run: { args: ["check", "--color=auto"], env: { NO_COLOR: "" } },
  },
  { name: "in a pipe", coloured: false, run: { env: { NO_COLOR: "", TERM: "xterm" } } },
];

for (const { name, coloured, run } of CASES) {
  Deno.test(`check has ${coloured ? "colours" : "no colours"} ${name}`, async () => {
    using dir = new ProgramDirectory({ "config.ts": CONFIG });
    const { code, out } = await runProgram({ dir: dir.path(), args: ["check"], permissions: PERMISSIONS, ...run });
    assert.equal(code, 1);
    assert.equal(out.includes("\x1b[31merror\x1b[0m"), coloured, out);
    if (!coloured) assert.ok(!out.includes("\x1b"));
  });
}
