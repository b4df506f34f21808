import { UserError } from "../model/errors.ts";
import { type Document, documentsFrom } from "../runtime/documents.ts";
import { DryRun, type DryRunOptions, type DryRunResult } from "../runtime/dry_run.ts";
import { replay } from "../runtime/replay.ts";
import { printable } from "../wire/escaping/printable.ts";
import { historyBytes, historyName } from "./history_file.ts";
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
  async function* history(): AsyncIterable<Document & { readonly file: string }> {
    for (const file of files) {
      try {
        for await (const document of documentsFrom(historyBytes(file, terminal.readInput))) {
          if (!("refused" in document.decoded)) count++;
          yield { ...document, file };
        }
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        refuse(error.message);
      }
    }
  }
  for await (const { document: { file, line }, ...step } of replay(run, history())) {
    if ("result" in step) show(step.result);
    else refuse(`Cannot read a notification in ${historyName(file)}, line ${line}: ${step.refused}`);
  }
  if (!json && count > 1) terminal.print(`${count} notifications read. Nothing was sent.`);
  return bad ? BAD_INPUT : sends ? WOULD_SEND : NOTHING_TO_SEND;
}

function isBad({ outcome, plugins }: DryRunResult): boolean {
  return outcome === "refused" || plugins.some(({ error }) => error !== undefined);
}
