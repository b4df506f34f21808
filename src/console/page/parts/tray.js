// @ts-check
// The action that runs, on every screen until it is put away.
import { running, sentenceOf, stop } from "../actions.js";
import { href } from "../router.js";
import { markup } from "../ui.js";
import { Icon } from "./icon.js";
import { Label, Text } from "./text.js";

export function Tray() {
  const action = running.value;
  if (action === null) return null;
  const { state, done, total, isStopping, error } = action;
  const refused = action.answers.flatMap((answer) => answer.refused);
  return markup`<section class=${`tray ${state}`} aria-label="Running action">
    <div class="tray-line">
      <span>${sentenceOf(action)}.</span>
      ${
    state === "running" && markup`<progress aria-label="Progress" max=${Math.max(1, total)} value=${done}></progress>`
  }
      ${
    state === "running"
      ? markup`<button type="button" disabled=${isStopping} onClick=${stop}>${
        isStopping ? "Stopping …" : "Stop"
      }</button>`
      : markup`
      <button type="button" class="icon-button" aria-label="Put away" title="Put away"
        onClick=${() => running.value = null}><${Icon} name="cross" /></button>
    `
  }
    </div>
    ${error !== null && markup`<p class="text lines">${error}.</p>`}
    ${
    refused.length > 0 && markup`
      <details>
        <summary>What was refused, and why</summary>
        <ul>${
      refused.map(({ key, plugin, reason }) =>
        markup`
            <li
              key=${`${key} ${plugin}`}><a href=${
          href("event", { key })
        }><${Label} value=${key} limit=${100} /></a> <${Text} value=${reason} /></li>
          `
      )
    }</ul>
      </details>
    `
  }
  </section>`;
}
