// A peer program as a contender.
import type { Running } from "./drain.ts";

/**
 * Starts the peer. It prints its work and the time (`at`) as a line of JSON, and waits to be
 * killed. `expected` is the work that it must have done.
 */
export function startPeer(command: readonly string[], expected: Readonly<Record<string, number>>): Running {
  const [program = "", ...args] = command;
  const child = new Deno.Command(program, { args, stdin: "null", stdout: "piped", stderr: "null" }).spawn();
  const told = firstLine(child.stdout).then((line) => JSON.parse(line) as Readonly<Record<string, number>>);
  told.catch(() => {});
  return {
    pid: child.pid,
    began: told.then(({ from = NaN }) => from, () => NaN),
    finished: told.then((did) => {
      for (const [what, count] of Object.entries(expected)) {
        if (did[what] !== count) throw new Error(`${program} did ${did[what]} ${what}, not ${count}`);
      }
      return did["at"] ?? NaN;
    }),
    async end() {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended by itself.
      }
      await child.status;
      await told.catch(() => {});
    },
  };
}

async function firstLine(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  let text = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (text.includes("\n")) return text.slice(0, text.indexOf("\n"));
  }
  throw new Error(`the peer ended without a word`);
}
