// @ts-check
// The stream of server-sent events, over fetch: EventSource tells neither why a connection was
// refused, nor does it try again after an answer of a proxy.

/**
 * @typedef {{
 *   url: string,
 *   onMessage: (event: string, data: string) => void,
 *   onState: (state: "live" | "lost" | "refused") => void,
 *   onRefused: (response: Response) => Promise<boolean>,
 * }} StreamOptions `onRefused`: whether to go on trying.
 */

/** The overview comes every two seconds: so much silence is a lost connection. */
const SILENCE_MS = 10_000;
const FIRST_DELAY_MS = 500;
const LAST_DELAY_MS = 5000;

/**
 * Reads the stream until the signal aborts, from where the last connection ended.
 *
 * @param {StreamOptions} options
 * @param {AbortSignal} signal
 */
export async function followStream(options, signal) {
  let delayMs = FIRST_DELAY_MS;
  const place = { id: "" };
  while (!signal.aborted) {
    const end = await readOnce(options, place, signal);
    if (end === null || signal.aborted) return;
    options.onState(end === "refused" ? "refused" : "lost");
    delayMs = end === "read" ? FIRST_DELAY_MS : Math.min(LAST_DELAY_MS, delayMs * 2);
    await pause(delayMs * (0.75 + Math.random() / 2), signal);
  }
}

/**
 * One connection to its end. Returns what came of it; `null`: not to be tried again.
 *
 * @param {StreamOptions} options
 * @param {{ id: string }} place
 * @param {AbortSignal} signal
 * @returns {Promise<"read" | "nothing" | "refused" | null>}
 */
async function readOnce({ url, onMessage, onState, onRefused }, place, signal) {
  const silence = new AbortController();
  const whole = AbortSignal.any([signal, silence.signal]);
  let timer = setTimeout(() => silence.abort(), SILENCE_MS);
  let wasLive = false;
  try {
    const headers = { accept: "text/event-stream", ...(place.id === "" ? {} : { "last-event-id": place.id }) };
    const response = await fetch(url, { headers, signal: whole, cache: "no-store" });
    if (!response.ok || response.body === null) return await onRefused(response) ? "refused" : null;
    for await (const { id, event, data } of messagesOf(response.body)) {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE_MS);
      if (!wasLive) onState("live");
      wasLive = true;
      if (id !== null) place.id = id;
      if (data !== "") onMessage(event, data);
    }
  } catch {
    // The connection was refused or has ended: it is tried again.
  } finally {
    clearTimeout(timer);
  }
  return wasLive ? "read" : "nothing";
}

/** @param {ReadableStream<Uint8Array>} body */
async function* messagesOf(body) {
  let text = "";
  const reader = body.pipeThrough(/** @type {any} */ (new TextDecoderStream())).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      text += value.replaceAll("\r\n", "\n");
      const blocks = text.split("\n\n");
      text = blocks.pop() ?? "";
      for (const block of blocks) yield parse(block);
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** @param {string} block */
function parse(block) {
  /** @type {{ id: string | null, event: string, data: string }} */
  const message = { id: null, event: "message", data: "" };
  const data = [];
  for (const line of block.split("\n")) {
    const [, field, value = ""] = /^(\w+): ?(.*)$/.exec(line) ?? [];
    if (field === "id") message.id = value;
    else if (field === "event") message.event = value;
    else if (field === "data") data.push(value);
  }
  return { ...message, data: data.join("\n") };
}

/** @param {number} ms @param {AbortSignal} signal */
function pause(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve(undefined);
    }, { once: true });
  });
}
