// Runs programs to their end.

/** A program and its arguments, as `Deno.Command` takes them. */
export interface CommandLine {
  readonly program: string;
  readonly args: readonly string[];
}

/**
 * Runs a program to its end and gives its standard output. @throws {Error} with the end of its
 * output when it fails.
 */
export async function output({ program, args }: CommandLine): Promise<string> {
  return said(program, await new Deno.Command(program, { args: [...args], stdin: "null" }).output());
}

/**
 * The same for a program that may hang: it is ended after a time with all that it started, and with
 * this process, even if that is killed.
 */
export async function bounded({ program, args }: CommandLine, minutes: number): Promise<string> {
  const child = new Deno.Command("setsid", {
    args: ["sh", "-c", WITH_US, program, ...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    Deno.kill(-child.pid, "SIGKILL");
  }, minutes * 60_000);
  try {
    const result = await child.output();
    if (isLate) throw new Error(`${program} took over ${minutes} min`);
    return said(program, result);
  } finally {
    clearTimeout(timer);
    await child.stdin.close().catch(() => {});
  }
}

function said(program: string, { success, stdout, stderr }: Deno.CommandOutput): string {
  const decoder = new TextDecoder();
  if (success) return decoder.decode(stdout);
  const lines = `${decoder.decode(stdout)}\n${decoder.decode(stderr)}`.trim().split("\n");
  throw new Error(`${program} failed: ${lines.slice(-15).join("\n")}`);
}

/**
 * One process group, which ends itself when its standard input closes: that is when this process is
 * gone.
 */
const WITH_US = `
  exec 3<&0 </dev/null
  { cat <&3 >/dev/null; kill -9 -$$; } >/dev/null 2>&1 &
  exec 3<&-
  code=0
  "$0" "$@" || code=$?
  kill $!
  exit $code
`;
