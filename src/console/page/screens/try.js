// @ts-check
// What would be made of a notification or a recording: `--dry-run` on a page. Nothing is sent.
import { post, textOf } from "../api.js";
import { counted } from "../format.js";
import { Empty, ErrorNote, Note } from "../parts/feedback.js";
import { Heading } from "../parts/heading.js";
import { Text } from "../parts/text.js";
import { TryResult } from "../parts/try_result.js";
import { announcement } from "../session.js";
import { markup, useId, useRef, useState } from "../ui.js";

/** @import { TryAnswer } from "../../api.ts" */

const MOST_BYTES = 4 * 1024 * 1024;
/** Longer texts are kept beside the field: a field of megabytes makes a browser slow. */
const MOST_SHOWN = 200_000;
const STEP = 50;

export function Try() {
  const [answer, setAnswer] = useState(/** @type {TryAnswer | null} */ (null));
  const [error, setError] = useState(/** @type {string | null} */ (null));
  const [isRunning, setRunning] = useState(false);
  const run = async (/** @type {string} */ text) => {
    setRunning(true);
    setError(null);
    try {
      const done = /** @type {TryAnswer} */ (await post("try", { text }));
      setAnswer(done);
      announcement.value = `${counted(done.results.length, "notification was", "notifications were")} read`;
    } catch (thrown) {
      setError(textOf(thrown));
    }
    setRunning(false);
  };
  return markup`
    <${Heading} title="Try" />
        <p
      class="lead">Paste a notification, or drop a recording of <code>oss-watcher record</code>: you see which events come of it, and what each plugin would send. Nothing is sent and nothing is stored.</p>
        <${Input} run=${run} isRunning=${isRunning} />
        <${ErrorNote} text=${error} />
        ${answer !== null && markup`<${Results} answer=${answer} />`}
  `;
}

/** @param {{ run: (text: string) => void, isRunning: boolean }} props */
function Input({ run, isRunning }) {
  const field = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const [file, setFile] = useState(/** @type {{ name: string, text: string } | null} */ (null));
  const [problem, setProblem] = useState(/** @type {string | null} */ (null));
  const [isOver, setOver] = useState(false);
  const id = useId();
  const take = async (/** @type {File | undefined} */ given) => {
    if (given === undefined) return;
    if (given.size > MOST_BYTES) {
      return setProblem(`Cannot try "${given.name}": it is longer than 4 MiB. Try it with: oss-watcher --dry-run FILE`);
    }
    setProblem(null);
    const text = await given.text();
    setFile({ name: given.name, text });
    if (field.current !== null) field.current.value = text.length > MOST_SHOWN ? "" : text;
  };
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    const written = field.current?.value ?? "";
    const text = file !== null && written === "" ? file.text : written;
    if (text.trim() === "") return setProblem("Cannot try an empty text: paste a notification first");
    setProblem(null);
    run(text);
  };
  const drop = (/** @type {DragEvent} */ event) => {
    event.preventDefault();
    setOver(false);
    take(event.dataTransfer?.files[0]);
  };
  return markup`<form class=${`try panel ${isOver ? "over" : ""}`} onSubmit=${submit} onDrop=${drop} onDragOver=${(
    /** @type {Event} */ event,
  ) => {
    event.preventDefault();
    setOver(true);
  }} onDragLeave=${() => setOver(false)}>
    <label for=${id}>Notification or recording</label>
    <textarea id=${id} ref=${field} rows="10" spellcheck=${false} placeholder='{"event_type": "compute.instance.create.end", "payload": { … }}' onInput=${() =>
    setFile(null)}></textarea>
    ${
    file !== null &&
    markup`<p class="faint">From <${Text} value=${file.name} limit=${80} />, ${
      counted(file.text.length, "character")
    }</p>`
  }
    <${ErrorNote} text=${problem} />
    <div class="buttons"><label class="button file">Choose a file …<input type="file" class="hidden" onChange=${(
    /** @type {Event} */ event,
  ) => take(/** @type {HTMLInputElement} */ (event.target).files?.[0])} /></label>
    <button class="primary" disabled=${isRunning}>${isRunning ? "Trying …" : "Try"}</button></div>
  </form>`;
}

/** @param {{ answer: TryAnswer }} props */
function Results({ answer: { results, refused } }) {
  const [shown, setShown] = useState(STEP);
  const events = results.reduce((sum, result) => sum + result.events.length, 0);
  return markup`<section aria-labelledby="results"><h2 id="results">${counted(results.length, "notification")}, ${
    counted(events, "event")
  }</h2>
    ${
    refused.length > 0 && markup`
      <${Note} tone="warn">
        <p>${counted(refused.length, "line")} could not be read:</p>
        <ul>${
      refused.slice(0, 20).map(({ line, reason }) =>
        markup`<li key=${line}>line ${line}: <${Text} value=${reason} /></li>`
      )
    }</ul>
        <//>
    `
  }
    ${
    results.length === 0 && refused.length === 0 && markup`
      <${Empty} title="Nothing was read.">
        <p>The text has no notification.</p>
        <//>
    `
  }
    <div class="stack">${
    results.slice(0, shown).map((result, index) => markup`<${TryResult} key=${index} result=${result} />`)
  }</div>
    ${
    results.length > shown && markup`<div class="end"><button type="button" onClick=${() =>
      setShown(shown + STEP)}>Show more</button></div>`
  }
  </section>`;
}
