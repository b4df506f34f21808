import { basename, dirname } from "node:path";
import { escapeXml } from "../wire/escaping/escape_xml.ts";

/** One test of a report. */
export interface JunitCase {
  /** The path of the history, relative. */
  readonly path: string;
  readonly durationMs: number;
  /** `failure`: something else came. `error`: the test could not be made. `null`: it passed. */
  readonly problem: { readonly kind: "failure" | "error"; readonly message: string; readonly text: string } | null;
}

/** A report that servers for continuous integration read, in the form of JUnit. */
export function junitReport(cases: readonly JunitCase[]): string {
  const folders = [...new Set(cases.map(({ path }) => dirname(path)))];
  return [
    `<?xml version="1.0" encoding="UTF-8"?>`,
    `<testsuites name="oss-watcher test"${totals(cases)}>`,
    ...folders.flatMap((folder) => suite(folder, cases.filter(({ path }) => dirname(path) === folder))),
    `</testsuites>`,
    "",
  ].join("\n");
}

function suite(folder: string, cases: readonly JunitCase[]): string[] {
  return [
    `  <testsuite name="${escapeXml(folder)}"${totals(cases)}>`,
    ...cases.flatMap((one) => testCase(folder, one)),
    `  </testsuite>`,
  ];
}

function testCase(folder: string, { path, durationMs, problem }: JunitCase): string[] {
  const tag = `    <testcase classname="${escapeXml(folder)}" name="${escapeXml(basename(path, ".jsonl"))}" ` +
    `file="${escapeXml(path)}" time="${inSeconds(durationMs)}"`;
  if (problem === null) return [`${tag}/>`];
  const { kind, message, text } = problem;
  return [
    `${tag}>`,
    `      <${kind} message="${escapeXml(message)}">${text.split("\n").map(escapeXml).join("\n")}</${kind}>`,
    `    </testcase>`,
  ];
}

function totals(cases: readonly JunitCase[]): string {
  const count = (kind: "failure" | "error") => cases.filter(({ problem }) => problem?.kind === kind).length;
  const totalMs = cases.reduce((sum, { durationMs }) => sum + durationMs, 0);
  return ` tests="${cases.length}" failures="${count("failure")}" errors="${count("error")}" time="${
    inSeconds(totalMs)
  }"`;
}

function inSeconds(durationMs: number): string {
  return (durationMs / 1000).toFixed(3);
}
