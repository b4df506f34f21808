// @ts-check
// What a screen reads from the API.
import { textOf } from "../api.js";
import { reconnections } from "../session.js";
import { useCallback, useEffect, useState } from "../ui.js";

/** @template T @typedef {{ data: T | null, error: string | null, isLoading: boolean, reload: () => void }} Resource */

/**
 * Reads when it is first shown, when `deps` change, when a lost connection is back, and on demand.
 * What was read stays until the next answer.
 *
 * @template T
 * @param {(signal: AbortSignal) => Promise<T>} load
 * @param {readonly unknown[]} [deps]
 * @returns {Resource<T>}
 */
export function useResource(load, deps = []) {
  const [state, setState] = useState(
    /** @type {{ data: T | null, error: string | null, isLoading: boolean }} */ ({
      data: null,
      error: null,
      isLoading: true,
    }),
  );
  const [version, setVersion] = useState(0);
  useEffect(() => {
    const aborting = new AbortController();
    setState((before) => ({ ...before, isLoading: true }));
    load(aborting.signal).then(
      (data) => aborting.signal.aborted || setState({ data, error: null, isLoading: false }),
      (error) => {
        if (aborting.signal.aborted) return;
        setState((before) => ({ data: before.data, error: textOf(error), isLoading: false }));
      },
    );
    return () => aborting.abort();
  }, [...deps, version, reconnections.value]);
  const reload = useCallback(() => setVersion((before) => before + 1), []);
  return { ...state, reload };
}
