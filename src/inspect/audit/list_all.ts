import type { Plugin } from "../../model/plugin.ts";
import { unlessAborted } from "../../wire/deadline.ts";
import type { ListedFingerprints } from "./compare.ts";

/** The longest time between two resources of a listing. */
const SILENCE_SECONDS = 60;

/**
 * Lists what a target holds.
 *
 * @throws {Error} what the plugin throws, or when no further resource comes for a minute.
 */
export async function listAll(plugin: Plugin, signal: AbortSignal): Promise<ListedFingerprints> {
  const listed = new Map<string, string[]>();
  const silence = new AbortController();
  const stop = AbortSignal.any([signal, silence.signal]);
  const expire = () =>
    silence.abort(new Error(`Cannot list the target: no further resource within ${SILENCE_SECONDS} s`));
  const resources = plugin.list?.(stop)[Symbol.asyncIterator]();
  for (;;) {
    const timer = setTimeout(expire, SILENCE_SECONDS * 1000);
    try {
      const next = await unlessAborted(stop, Promise.resolve(resources?.next()));
      if (next === undefined || next.done) return listed;
      const name = `${next.value.subject}/${next.value.id}`;
      const copies = listed.get(name);
      if (copies === undefined) listed.set(name, [next.value.fingerprint]);
      else copies.push(next.value.fingerprint);
    } finally {
      clearTimeout(timer);
    }
  }
}
