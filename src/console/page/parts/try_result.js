// @ts-check
// What a dry run says of one notification.
import { PluginPreview } from "../screens/event.js";
import { markup } from "../ui.js";
import { Badge } from "./badge.js";
import { Text } from "./text.js";
import { Tree } from "./tree.js";

/** @import { TryAnswer } from "../../api.ts" */
/** @typedef {TryAnswer["results"][number]} Result */

/** @param {{ result: Result }} props */
export function TryResult({ result: { event, time, outcome, reason, events, plugins } }) {
  return markup`
    <article class="panel try-result">
      <header>
        <h3><code><${Text} value=${event} limit=${120} /></code></h3>
        <p>
          <${Badge} tone=${events.length > 0 ? "ok" : "off"}
            icon=${events.length > 0 ? "check" : "minus"}><${Text} value=${outcome} limit=${120} /><//> ${
    reason !== null &&
    markup`<${Text} value=${reason} />`
  } ${
    time !== null &&
    markup`<span class="faint"><${Text} value=${time} limit=${40} /></span>`
  }</p></header>
        ${
    events.map((made) =>
      markup`<${Made} key=${made.key} made=${made} plugins=${plugins.filter(({ key }) => key === made.key)} />`
    )
  }
      </article>
  `;
}

/** @param {{ made: Result["events"][number], plugins: Result["plugins"] }} props */
function Made({ made: { key, created, detail, changed, keysToAsk }, plugins }) {
  return markup`<section class="made"><h4>${
    created ? "Is there afterwards" : "Is gone afterwards"
  }: <code><${Text} value=${key} limit=${120} /></code></h4>
    ${
    changed !== null && changed.length > 0 && markup`<p>Changed: ${
      changed.map((name, index) => markup`${index > 0 ? ", " : ""}<code><${Text} value=${name} limit=${60} /></code>`)
    }</p>`
  }
    ${
    keysToAsk.length > 0 && markup`<p class="faint">OpenStack would be asked for ${
      keysToAsk.map((name, index) => markup`${index > 0 ? ", " : ""}<code><${Text} value=${name} limit=${60} /></code>`)
    }</p>`
  }
    <details><summary>Detail</summary><${Tree} value=${detail} marked=${changed ?? []} /></details>
    ${plugins.length === 0 && markup`<p class="faint">No plugin would be told.</p>`}
    <div class="stack">${
    plugins.map((plugin) => markup`<${PluginPreview} key=${plugin.name} plugin=${plugin} />`)
  }</div>
  </section>`;
}
