import { findProgram } from "../../tools/packages.ts";

/** The path of a program that tools/install.ts installs. */
export function program(name: string): string {
  const path = findProgram({ program: name, package: "", places: [`/usr/sbin/${name}`, `/usr/bin/${name}`] });
  if (path === null) throw new Error(`Cannot find ${name}: run deno run -A tools/install.ts`);
  return path;
}

/** Runs a program to its end; gives its standard output, or what it says of its failure. */
export async function tool(
  name: string,
  args: readonly string[],
  input = "",
): Promise<{ success: boolean; output: string }> {
  const child = new Deno.Command(program(name), { args: [...args], stdin: "piped", stdout: "piped", stderr: "piped" })
    .spawn();
  const writer = child.stdin.getWriter();
  writer.write(new TextEncoder().encode(input)).catch(() => {});
  writer.close().catch(() => {});
  const { success, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { success, output: decoder.decode(success ? stdout : stderr) };
}
