import { findProgram } from "../../tools/packages.ts";

/** Runs Prometheus' own checker. */
export async function promtool(
  args: readonly string[],
  input = "",
): Promise<{ readonly code: number; readonly said: string }> {
  const program = findProgram({ program: "promtool", package: "prometheus" });
  if (program === null) throw new Error("Cannot find promtool: run deno run -A tools/install.ts");
  const child = new Deno.Command(program, { args: [...args], stdin: "piped", stdout: "piped", stderr: "piped" })
    .spawn();
  await new Blob([input]).stream().pipeTo(child.stdin).catch(() => {});
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, said: decoder.decode(stdout) + decoder.decode(stderr) };
}

/** The numbers of Prometheus' text format by their names with labels. */
export function samplesOf(text: string): ReadonlyMap<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(lines.map((line) => {
    const at = line.lastIndexOf(" ");
    return [line.slice(0, at), Number(line.slice(at + 1))];
  }));
}
