// @ts-check
// Whether targets know what is in OpenStack: the last comparison, a plan, and its application.
import { get, post, remove, textOf } from "../api.js";
import { ActionButton, ViewersNote } from "../parts/button.js";
import { Comparison, Undecided } from "../parts/comparison.js";
import { Dialog } from "../parts/dialog.js";
import { Empty, ErrorNote, Loaded } from "../parts/feedback.js";
import { Heading } from "../parts/heading.js";
import { useResource } from "../parts/resource.js";
import { Text } from "../parts/text.js";
import { FullTime, Time } from "../parts/time.js";
import { announcement, overview } from "../session.js";
import { markup, useEffect, useId, useState } from "../ui.js";
import { duration } from "../format.js";

/** @import { DriftAnswer, DriftRun } from "../../api.ts" */
/** @typedef {import("../parts/resource.js").Resource<DriftAnswer>} DriftResource */

const POLL_MS = 700;

/** @param {{ params: Readonly<Record<string, string>> }} props */
export function Drift({ params }) {
  const drift = useResource((signal) => /** @type {Promise<DriftAnswer>} */ (get("drift", {}, signal)));
  const state = drift.data?.running?.state;
  useEffect(() => {
    if (state !== "running") return;
    const timer = setInterval(drift.reload, POLL_MS);
    return () => {
      clearInterval(timer);
      announcement.value = "The comparison has ended";
    };
  }, [state]);
  const endedAt = overview.value?.openstack?.lastComparison?.endedAt;
  useEffect(() => {
    if (drift.data !== null) drift.reload();
  }, [endedAt]);
  return markup`
    <${Heading} title="Drift" />
    <p
      class="lead">A comparison reads OpenStack and tells what its notifications missed. The plan is only read; applying it makes the events that targets should have heard of.</p>
    <${Loaded} of=${drift}>${(/** @type {DriftAnswer} */ answer) =>
    markup`<${Whole} answer=${answer} drift=${drift} change=${params.change} />`}<//>
  `;
}

/** @param {{ answer: DriftAnswer, drift: DriftResource, change: string | undefined }} props */
function Whole({ answer, drift, change }) {
  if (overview.value?.openstack === null) {
    return markup`
      <${Empty} title="No cloud is configured.">
        <p>With a section <code>openstack</code> in config.ts, the service compares what it knows with what OpenStack says, and you can as well, here.</p>
        <//>
    `;
  }
  const { last, agreedAt, running } = answer;
  return markup`<${ViewersNote} />
    <${Runs} running=${running} drift=${drift} />
    ${running !== null && markup`<${Run} run=${running} change=${change} />`}
    <h2>The last comparison</h2>
    ${agreedAt !== null && markup`<p>Targets and OpenStack agreed last <${Time} at=${agreedAt} />.</p>`}
    ${
    last === null
      ? markup`
        <${Empty} title="There was none yet.">
          <p>The service makes one by itself when it may have missed notifications, and at the times that <code>openstack.reconcile</code> sets. <em>Plan</em> makes one now.</p>
          <//>
      `
      : markup`<${Comparison} report=${last} change=${change} />`
  }`;
}

/** The buttons. @param {{ running: DriftRun | null, drift: DriftResource }} props */
function Runs({ running, drift }) {
  const [isAsked, setAsked] = useState(false);
  const [force, setForce] = useState(false);
  const [error, setError] = useState(/** @type {string | null} */ (null));
  const id = useId();
  const isRunning = running?.state === "running";
  const call = async (/** @type {() => Promise<unknown>} */ work) => {
    setAsked(false);
    setError(null);
    try {
      await work();
    } catch (thrown) {
      setError(textOf(thrown));
    }
    drift.reload();
  };
  const begin = (/** @type {boolean} */ apply) => () =>
    call(() => post("drift/compare", { apply, force: apply && force }));
  return markup`
    <div class="actions">
      <${ActionButton} kind="primary" disabled=${isRunning} onClick=${begin(false)}>Plan<//>
          <${ActionButton} disabled=${isRunning} onClick=${() => setAsked(true)}>Compare and apply …<//>
          ${isRunning && markup`<${ActionButton} onClick=${() => call(() => remove("drift/compare"))}>Stop<//>`}
        </div>
        <${ErrorNote} text=${error} />
        ${
    isAsked && markup`
          <${Dialog} title="Compare and apply?" onClose=${() => setAsked(false)}>
            <p>OpenStack is read anew. For each difference the events are made that targets should have heard of, deletions as well. They are delivered as all events are.</p>
            <div
              class="check"><input type="checkbox" id=${id} checked=${force} onChange=${() =>
      setForce(
        !force,
      )} /><label for=${id}>Also if there are more deletions than <code>maxDeletions</code> allows</label></div>
            <div
              class="buttons"><button type="button" onClick=${() =>
      setAsked(false)}>Cancel</button><button type="button" class="primary" onClick=${
      begin(true)
    }>Compare and apply</button></div>
            <//>
        `
  }
  `;
}

/** One that was begun on this page. @param {{ run: DriftRun, change: string | undefined }} props */
function Run({ run: { state, apply, by, startedAt, progress, report, undecided, error }, change }) {
  const title = `${apply ? "Comparison with application" : "Plan"}: ${WORDS[state]}`;
  return markup`<section class="panel run" aria-labelledby="run"><h2 id="run">${title}</h2>
    <p class="faint">begun by <${Text} value=${by} limit=${80} /> <${FullTime} at=${startedAt} />${
    report !== null && markup`, took ${duration(report.endedAt - report.startedAt)}`
  }</p>
    ${
    state === "running" && markup`
      <p role="status">
        <${Text} value=${progress} />
      </p><progress aria-label=${title}></progress>
    `
  }
    <${ErrorNote} text=${error} />
    ${report !== null && markup`<${Comparison} report=${report} change=${change} />`}
    ${undecided.length > 0 && markup`<${Undecided} rows=${undecided} />`}
  </section>`;
}

/** @type {Readonly<Record<DriftRun["state"], string>>} */
const WORDS = { running: "running", done: "done", failed: "failed", stopped: "stopped" };
