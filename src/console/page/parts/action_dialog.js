// @ts-check
// Says what a replay or a drop would do, before it is done.
import { perform, planOf, wish } from "../actions.js";
import { counted } from "../format.js";
import { href } from "../router.js";
import { markup, useId, useState } from "../ui.js";
import { Dialog } from "./dialog.js";
import { ErrorNote, Loading, Note } from "./feedback.js";
import { useResource } from "./resource.js";
import { Text } from "./text.js";

/** @import { Wish } from "../actions.js" */
/** @import { ActionPlan } from "../../api.ts" */

/** The dialog of what is wished; nothing while nothing is. */
export function ActionDialog() {
  if (wish.value === null) return null;
  const close = () => wish.value = null;
  const title = `${wish.value.action === "replay" ? "Replay" : "Drop"} ${wish.value.what}?`;
  return markup`
    <${Dialog} title=${title} onClose=${close}>
      <${Plan} wished=${wish.value} close=${close} />
      <//>
  `;
}

/** @param {{ wished: Wish, close: () => void }} props */
function Plan({ wished, close }) {
  const [force, setForce] = useState(false);
  const { data, error, isLoading, reload } = useResource((signal) => planOf(wished, force, signal), [force]);
  const isReplay = wished.action === "replay";
  const refused = data?.refused.reduce((sum, each) => sum + each.count, 0) ?? 0;
  const todo = data === null ? 0 : Math.max(0, data.count - refused);
  const confirm = () => {
    perform(wished, { force, total: data?.count ?? 0 });
    close();
  };
  return markup`
    <${ErrorNote} text=${error} retry=${reload} />
    ${data === null && error === null && markup`<${Loading} />`}
    ${data !== null && markup`<p class="figure-line">${whatHappens(isReplay, data.count)}</p>`}
    ${data !== null && data.refused.length > 0 && markup`<${Refused} plan=${data} />`}
    ${isReplay && data !== null && (force || refused > 0) && markup`<${Force} force=${force} set=${setForce} />`}
    <div class="buttons">
      <button type="button" onClick=${close}>Cancel</button>
      <button type="button" class=${isReplay ? "primary" : "danger"} disabled=${
    data === null || isLoading ||
    todo === 0
  } onClick=${confirm}>${isReplay ? "Replay" : "Drop for good"}${
    data !== null && data.isComplete ? ` (${todo.toLocaleString("en")})` : ""
  }</button>
    </div>
  `;
}

/** @param {boolean} isReplay @param {number} count */
function whatHappens(isReplay, count) {
  if (count === 0) return "There is nothing to do: none of these deliveries is in a state for it.";
  const deliveries = counted(count, "delivery", "deliveries");
  return isReplay
    ? `${deliveries} will be attempted again, at ${count === 1 ? "its" : "their"} old place in the order.`
    : `${deliveries} will be given up: the target will not hear of ${count === 1 ? "it" : "them"} from oss-watcher.`;
}

/** @param {{ plan: ActionPlan }} props */
function Refused({ plan }) {
  return markup`
    <${Note} tone="warn">
      <p>${plan.isComplete ? "Refused would be:" : "Of the first 1,000, refused would be:"}</p>
      <ul>${
    plan.refused.map(({ reason, count, sampleKey }) =>
      markup`
          <li
            key=${reason}>${counted(count, "delivery", "deliveries")}: <${Text} value=${reason} /> <a href=${
        href(
          "event",
          { key: sampleKey },
        )
      } target="_blank" rel="noopener">for example this one (new tab)</a></li>
        `
    )
  }</ul>
      <//>
  `;
}

/** @param {{ force: boolean, set: (force: boolean) => void }} props */
function Force({ force, set }) {
  const id = useId();
  return markup`
    <div
      class="check"><input type="checkbox" id=${id} checked=${force} onChange=${() =>
    set(
      !force,
    )} /><label for=${id}>Replay these as well. Their targets have heard of later events of the same resource: what they are told now is <strong>older</strong> than what they know.</label></div>
  `;
}
