import { join } from "node:path";
import type { Mutation } from "./mutations.ts";

const ROOT = new URL("../../../", import.meta.url).pathname;
/** What a run imports. */
const COPIED = [
  "src/facts",
  "src/model",
  "src/reconcile",
  "src/ledger/ram",
  "tests/reconcile/model",
  "tests/support/random.ts",
  "tests/support/rules.ts",
  "tests/support/stories.ts",
];

/** Plays runs with a copy of the sources in which one rule is broken. Returns what was noticed; `null`: nothing. */
export async function play(
  { file, line, becomes, from = 1 }: Mutation,
  { runs }: { readonly runs: number },
): Promise<string | null> {
  const root = await Deno.makeTempDir({ prefix: "oss-watcher-mutation-" });
  try {
    for (const name of COPIED) await copy(name, root);
    const path = join(root, file);
    const source = await Deno.readTextFile(path);
    if (source.split(line).length !== 2) {
      throw new Error(`Cannot break a rule in "${file}": "${line}" is not there once`);
    }
    await Deno.writeTextFile(path, source.replace(line, () => becomes));
    const main = join(root, "tests/reconcile/model/main.ts");
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "--no-config", main, "--quick", "--from", `${from}`, "--runs", `${runs}`],
    }).output();
    if (code === 0) return null;
    const said = `${new TextDecoder().decode(stdout)}${new TextDecoder().decode(stderr)}`;
    const noticed = /^Seed \d+: Violation: .*$/m.exec(said)?.[0];
    if (noticed === undefined) throw new Error(`The runs did not end as they should: ${said}`);
    return noticed;
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

async function copy(name: string, root: string): Promise<void> {
  const [from, to] = [join(ROOT, name), join(root, name)];
  if ((await Deno.stat(from)).isFile) {
    await Deno.mkdir(join(to, ".."), { recursive: true });
    return await Deno.copyFile(from, to);
  }
  await Deno.mkdir(to, { recursive: true });
  for await (const { name: entry } of Deno.readDir(from)) await copy(join(name, entry), root);
}
