import { basename } from "node:path";
import type { Finding } from "../../model/finding.ts";

/**
 * A key that names a secret, with its value written down: `password: "…"`, and `password = …` of an
 * INI file.
 */
const WRITTEN =
  /(?:^|[\s{,("'])([\w-]*(?:password|passwd|secret|token|bearer|api[-_]?key)[\w-]*)["']?\s*(?::\s*\[?\s*["'`](?!["'`])|=\s*(?!\s*(?:$|env\b))(?=\S))/i;

/** `user:password@` in a URL. */
const URL_PASSWORD = /:\/\/[^\s:/"'`@]+:[^\s"'`@$]+@/;

/** A call of env() and the like, with its default. */
const ELSEWHERE = /\b(?:env|file|credential|vault)\([^)]*\)/g;

const OTHERS_MAY_READ = 0o004;

/** Warnings about secrets in a configuration that everybody on this machine may read. */
export async function secretsInSource(path: string): Promise<readonly Finding[]> {
  const { mode } = await Deno.stat(path);
  // Windows knows no modes.
  if (mode === null || (mode & OTHERS_MAY_READ) === 0) return [];
  const lines = (await Deno.readTextFile(path)).split("\n");
  return lines.flatMap((line, index): Finding[] => {
    if (/^\s*(?:\/\/|#|;|\*)/.test(line)) return [];
    const written = line.replaceAll(ELSEWHERE, "env()");
    const name = WRITTEN.exec(written)?.[1] ?? (URL_PASSWORD.test(written) ? "a URL with a password" : undefined);
    if (name === undefined) return [];
    const text = `${name} is written here, and everybody on this machine may read the file ` +
      `(${(mode & 0o777).toString(8)}). chmod o-r it${/\.[cm]?[jt]s$/.test(path) ? ', or write env("NAME")' : ""}`;
    return [{ level: "warning", key: `${basename(path)}:${index + 1}`, text }];
  });
}
