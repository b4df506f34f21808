// @ts-check
// What an operator does to a plugin: check its target, try at once, pause, resume.
import { post, textOf } from "../api.js";
import { counted, duration } from "../format.js";
import { announcement } from "../session.js";
import { markup, useState } from "../ui.js";
import { ActionButton } from "./button.js";
import { Dialog } from "./dialog.js";
import { ErrorNote, Note } from "./feedback.js";
import { Text } from "./text.js";

/** @import { CheckAnswer, PluginActionAnswer, PluginsAnswer } from "../../api.ts" */
/** @typedef {{ tone: "ok" | "bad", text: string, more?: string | null }} Result */

/** @param {{ plugin: PluginsAnswer["plugins"][number], reload: () => void }} props */
export function PluginActions({ plugin: { name, paused, can, isConfigured }, reload }) {
  const [busy, setBusy] = useState(/** @type {string | null} */ (null));
  const [result, setResult] = useState(/** @type {Result | null} */ (null));
  const [error, setError] = useState(/** @type {string | null} */ (null));
  const [isAsked, setAsked] = useState(false);
  const run = (/** @type {string} */ what, /** @type {() => Promise<Result>} */ work) => async () => {
    setBusy(what);
    setError(null);
    setResult(null);
    try {
      const done = await work();
      setResult(done);
      announcement.value = done.text;
    } catch (thrown) {
      setError(textOf(thrown));
    }
    setBusy(null);
    reload();
  };
  const tell = (
    /** @type {string} */ action,
  ) => /** @type {Promise<PluginActionAnswer>} */ (post(`plugins/${action}`, { name }));
  const pause = run("pause", async () => {
    await tell("pause");
    return { tone: "ok", text: "Paused: its deliveries wait, in order" };
  });
  const resume = run("resume", async () => {
    await tell("resume");
    return { tone: "ok", text: "Resumed: what waited is delivered, in order" };
  });
  const tryNow = run(
    "try",
    async () => ({
      tone: "ok",
      text: `${
        counted(
          (await tell("try")).count,
          "delivery that was to be retried is",
          "deliveries that were to be retried are",
        )
      } due at once`,
    }),
  );
  const check = run("check", async () => checked(await post("plugins/check", { name })));
  return markup`
    <div class="actions" aria-busy=${busy !== null}>
      <${ActionButton} disabled=${busy !== null || !can.check} onClick=${check}>${
    busy === "check" ? "Checking …" : "Check the target"
  }<//>
        <${ActionButton} disabled=${busy !== null || !isConfigured} onClick=${tryNow}>Try now<//>
        ${
    paused === null
      ? markup`<${ActionButton} disabled=${busy !== null || !isConfigured} onClick=${() => setAsked(true)}>Pause …<//>`
      : markup`<${ActionButton} kind="primary" disabled=${busy !== null} onClick=${resume}>Resume<//>`
  }
        ${!can.check && markup`<span class="faint">This plugin cannot check its target.</span>`}
      </div>
      <${ErrorNote} text=${error} />
      ${
    result !== null && markup`<${Note} tone=${result.tone}><p>${result.text}.</p>${
      result.more && markup`
          <p>
            <${Text} value=${result.more} lines />
          </p>
        `
    }<//>`
  }
      ${
    isAsked && markup`
        <${Dialog} title=${`Pause ${name}?`} onClose=${() => setAsked(false)}>
          <p>Nothing is delivered to it until somebody resumes it, also after a restart of the service. Deliveries wait, in order, and none is lost.</p>
          <div
            class="buttons"><button type="button" onClick=${() =>
      setAsked(false)}>Cancel</button><button type="button" class="primary" onClick=${() => {
      setAsked(false);
      pause();
    }}>Pause</button></div>
          <//>
      `
  }
  `;
}

/** @param {CheckAnswer} answer @returns {Result} */
function checked({ ok, error, tookMs }) {
  return ok
    ? { tone: "ok", text: `The target answers as it should, in ${duration(tookMs)}` }
    : { tone: "bad", text: `The check failed after ${duration(tookMs)}`, more: error };
}
