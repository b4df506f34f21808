// @ts-check
// Calls of the console's API. Errors are sentences for operators.
import { queryText } from "./router.js";
import { session, signedOut } from "./session.js";

/** @import { Params } from "./router.js" */

const BASE = "api/v1/";
const READ_MS = 20_000;
/** Of an address: servers refuse longer ones without a word. */
const MOST_CHARACTERS = 30_000;

/** What cannot be done, why, and what to do next. */
class ApiError extends Error {
  /** @param {string} message @param {number} status 0: there was no answer */
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/** @template T @param {string} path @param {Params} [params] @param {AbortSignal} [signal] @returns {Promise<T>} */
export function get(path, params = {}, signal = undefined) {
  return call("GET", path, { params, signal });
}

/** @template T @param {string} path @param {unknown} body @param {AbortSignal} [signal] @returns {Promise<T>} */
export function post(path, body, signal = undefined) {
  return call("POST", path, { body, signal });
}

/** @template T @param {string} path @returns {Promise<T>} */
export function remove(path) {
  return call("DELETE", path, {});
}

/**
 * @param {string} method
 * @param {string} path
 * @param {{ params?: Params, body?: unknown, signal?: AbortSignal | undefined }} options
 * @returns {Promise<any>}
 */
async function call(method, path, { params = {}, body, signal }) {
  const url = BASE + path + queryText(params);
  if (url.length > MOST_CHARACTERS) {
    throw new ApiError("Cannot ask the service for this: the text is too long. Search for the beginning of it", 0);
  }
  const response = await answer(url, {
    method,
    headers: {
      accept: "application/json",
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(method === "GET" ? {} : { "x-csrf-token": session.value?.csrf ?? "" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(method === "GET" ? { signal: limited(signal) } : signal === undefined ? {} : { signal }),
  });
  if (response.ok) return response.status === 204 ? null : await response.json();
  const message = await errorOf(response);
  if (response.status === 401) signedOut.value = message;
  throw new ApiError(message, response.status);
}

/** An answer that does not come must not be waited for: what is read can be read again. @param {AbortSignal | undefined} signal */
function limited(signal) {
  const limit = AbortSignal.timeout(READ_MS);
  return signal === undefined ? limit : AbortSignal.any([signal, limit]);
}

/** @param {string} url @param {RequestInit} init */
async function answer(url, init) {
  try {
    return await fetch(url, init);
  } catch (error) {
    if (init.signal?.aborted && init.signal.reason?.name !== "TimeoutError") throw error;
    throw new ApiError("Cannot reach the service: it does not answer. The page tries again by itself", 0);
  }
}

/** @param {Response} response */
export async function errorOf(response) {
  try {
    const { error } = await response.json();
    if (typeof error === "string") return error;
  } catch {
    // Not from the service: from a proxy before it.
  }
  return `Cannot read the answer: its status is ${response.status}. Try again, then look into the service's log`;
}

/** The text of what was thrown. @param {unknown} error */
export const textOf = (error) => error instanceof Error ? error.message : String(error);
