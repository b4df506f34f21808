import { UserError } from "../../model/errors.ts";
import { stampOf } from "../files/file_stamp.ts";
import { remember } from "./given_values.ts";
import { addSecretSource, type SecretSource, type WatchOptions } from "./secret_source.ts";

/**
 * The content of a file, for secrets that an orchestrator or a vault's agent puts there. One line
 * feed at its end is left out. The value is hidden as one of `env()` is, by the file's name. When
 * the file changes, the service loads the configuration anew, within seconds.
 *
 * @param path An absolute path, or a URL: `new URL("token", import.meta.url)` is beside config.ts.
 *
 * @throws {UserError} when the file cannot be read, or is empty. A file that is not there is the
 * `fallback`, if there is one.
 *
 * @example
 * ```ts
 * import { file } from "oss-watcher";
 * import assert from "node:assert/strict";
 *
 * assert.equal(file("/run/secrets/not-there", "fallback"), "fallback");
 * ```
 */
export function file(path: string | URL, fallback?: string): string {
  const { basename, isAbsolute } = nodePath();
  const absolute = path instanceof URL ? globalThis.process.getBuiltinModule("node:url").fileURLToPath(path) : path;
  if (!isAbsolute(absolute)) {
    throw new UserError(
      `Cannot read the secret file "${path}": the path is relative. Write the whole path, or ` +
        `new URL("${path}", import.meta.url) for a file beside config.ts`,
    );
  }
  return read(absolute, { what: `the secret file "${absolute}"`, name: basename(absolute), fallback });
}

/**
 * A credential that systemd gives to the service: `LoadCredential=` and the like in its unit. It is
 * read from `$CREDENTIALS_DIRECTORY`, and treated as the content of a `file()` is.
 *
 * @throws {UserError} when there is no such credential and no `fallback`.
 *
 * @example
 * ```ts
 * import { credential } from "oss-watcher";
 * import assert from "node:assert/strict";
 *
 * assert.equal(credential("not-given", "fallback"), "fallback");
 * ```
 */
export function credential(name: string, fallback?: string): string {
  const what = `the credential "${name}"`;
  if (!/^[^/\\]+$/.test(name) || name === "." || name === "..") {
    throw new UserError(`Cannot read ${what}: it is no name. Write what stands before the colon of LoadCredential=`);
  }
  const directory = Deno.env.get("CREDENTIALS_DIRECTORY");
  if (directory === undefined || directory === "") {
    if (fallback !== undefined) return fallback;
    throw new UserError(
      `Cannot read ${what}: $CREDENTIALS_DIRECTORY is not set, which systemd sets for a service that has ` +
        `credentials. Add LoadCredential=${name}:/path/of/the/file to its unit, or start it by ` +
        `systemd-run -p LoadCredential=${name}:…`,
    );
  }
  return read(nodePath().join(directory, name), { what, name, fallback });
}

/** Loaded at first use: every config.ts imports this file, and loading the module takes a tenth of a dry run. */
function nodePath() {
  return globalThis.process.getBuiltinModule("node:path");
}

interface Asked {
  readonly what: string;
  /** Tells secrets from names of hosts and the like, as the name of a variable does. */
  readonly name: string;
  readonly fallback: string | undefined;
}

function read(path: string, { what, name, fallback }: Asked): string {
  const value = contentOf(path, fallback);
  if (typeof value !== "string") throw new UserError(`Cannot read ${what}: ${stateOf(value)}`);
  if (value !== fallback) remember({ name: name.replaceAll(/\W/g, "_"), value, origin: `file ${path}` });
  watched.set(path, { value, fallback });
  addSecretSource(SECRET_FILES);
  return value;
}

/** The content without its last line feed, or why there is none. */
function contentOf(path: string, fallback: string | undefined): string | Error {
  try {
    const bytes = Deno.readFileSync(path);
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes).replace(/\r?\n$/, "");
    return text === "" ? new RangeError("it is empty") : text;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound && fallback !== undefined) return fallback;
    return error instanceof Error ? error : new Error(String(error));
  }
}

function stateOf(error: Error): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such file. Put it there";
  if (error instanceof Deno.errors.PermissionDenied) return "this user may not read it. Give the user the right to";
  if (error instanceof TypeError) return "it is no text in UTF-8. Put the secret there as a text";
  if (error instanceof RangeError) return `${error.message}. Put the secret there`;
  return error.message.replace(/: readfile '.*'$/, "");
}

/** What config.ts has got, by path. */
const watched = new Map<string, { readonly value: string; readonly fallback: string | undefined }>();

const EVERY_MS = 1000;
/** After this time, a change that has not been taken is told again. */
const AGAIN_MS = 60_000;

/**
 * A change is told once two looks in a row have found the files the same: one may be half written,
 * or be the first of several that belong together.
 */
const SECRET_FILES: SecretSource = {
  async watch({ clock, log, onChange }: WatchOptions, signal: AbortSignal): Promise<void> {
    let [seen, read] = ["", ""];
    let changed: readonly string[] = [];
    let toldMs = -Infinity;
    for (; !signal.aborted; await clock.sleep(EVERY_MS, signal)) {
      const stamp = await stampOf([...watched.keys()]);
      if (stamp === seen && stamp !== read) {
        read = stamp;
        toldMs = -Infinity;
        changed = changedFiles((path, state) =>
          log.warn(`Cannot read the secret file "${path}": ${state}. The service goes on with the value that it has`)
        );
      }
      seen = stamp;
      if (changed.length === 0 || clock.passedMs() - toldMs < AGAIN_MS) continue;
      toldMs = clock.passedMs();
      onChange(`the file ${changed.map((path) => `"${path}"`).join(", ")}`);
    }
  },
};

/** The files with other values than config.ts got; none while one cannot be read. */
function changedFiles(onUnreadable: (path: string, state: string) => void): readonly string[] {
  const now = [...watched].map(([path, { value, fallback }]) => ({
    path,
    loaded: value,
    value: contentOf(path, fallback),
  }));
  const unreadable = now.flatMap(({ path, value }) => typeof value === "string" ? [] : [{ path, value }]);
  for (const { path, value } of unreadable) onUnreadable(path, stateOf(value));
  return unreadable.length > 0 ? [] : now.filter(({ loaded, value }) => loaded !== value).map(({ path }) => path);
}
