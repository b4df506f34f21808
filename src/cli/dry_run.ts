import { readDocuments } from "../runtime/documents.ts";
import { DryRun, type DryRunOptions, type DryRunResult } from "../runtime/dry_run.ts";
import { printable } from "../wire/escaping/printable.ts";
import { describeResult, jsonLine } from "./dry_run_text.ts";
import type { Terminal } from "./terminal.ts";

/** Exit codes of `--dry-run`. */
export const WOULD_SEND = 0;
export const BAD_INPUT = 1;
export const NOTHING_TO_SEND = 3;

/**
 * `--dry-run FILE|-`: shows the events and requests that notifications in files would cause.
 * Returns the exit code.
 */
export async function dryRun(
  files: readonly string[],
  options: DryRunOptions & { readonly terminal: Terminal; readonly json: boolean },
): Promise<number> {
  const { terminal, json } = options;
  const run = new DryRun(options);
  let bad = false;
  let sends = false;
  let count = 0;
  const refuse = (text: string) => {
    terminal.error(printable(text));
    bad = true;
  };
  const show = (result: DryRunResult) => {
    bad ||= isBad(result);
    sends ||= result.plugins.some(({ skipped = false }) => !skipped);
    terminal.print(json ? jsonLine(result) : describeResult(result));
  };
  const settle = async (nowMs: number) => {
    for (const result of await run.settle(nowMs)) show(result);
  };
  for (const file of files) {
    const name = file === "-" ? "standard input" : `"${file}"`;
    const bytes = await read(file, terminal);
    if (typeof bytes === "string") {
      refuse(`Cannot read ${name}: ${bytes}`);
      continue;
    }
    for (const { line, decoded } of await readDocuments(bytes)) {
      if ("refused" in decoded) {
        refuse(`Cannot read a notification in ${name}, line ${line}: ${decoded.refused}`);
        continue;
      }
      const { notification } = decoded;
      if (notification.time !== null) await settle(Date.parse(notification.time));
      show(await run.take(notification));
      count++;
    }
  }
  await settle(Infinity);
  if (!json && count > 1) terminal.print(`${count} notifications read. Nothing was sent.`);
  return bad ? BAD_INPUT : sends ? WOULD_SEND : NOTHING_TO_SEND;
}

function isBad({ outcome, plugins }: DryRunResult): boolean {
  return outcome === "refused" || plugins.some(({ error }) => error !== undefined);
}

/** The bytes of a file, or the reason why it cannot be read. */
async function read(file: string, { readInput }: Terminal): Promise<Uint8Array | string> {
  if (file === "") return "there is no such file";
  try {
    return file === "-" ? await readInput() : await Deno.readFile(file);
  } catch (error) {
    return whyUnreadable(error);
  }
}

function whyUnreadable(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such file";
  if (error instanceof Deno.errors.PermissionDenied) return "this user may not read it";
  // Deno lets no program read /dev and /proc, where a shell's <(…) is.
  if (error instanceof Deno.errors.NotCapable) {
    return "this program may not read there; pipe it in, with - for the file";
  }
  if (error instanceof Deno.errors.IsADirectory) return "it is a directory";
  return error instanceof Error ? error.message : String(error);
}
