// @ts-check
// One event: what was notified, what is sent, and how each plugin fares with it.
import { get, textOf } from "../api.js";
import { KindBadge } from "../parts/badge.js";
import { Copy } from "../parts/copy.js";
import { Delivery } from "../parts/delivery.js";
import { Empty, ErrorNote, Loaded } from "../parts/feedback.js";
import { Heading } from "../parts/heading.js";
import { Icon } from "../parts/icon.js";
import { useResource } from "../parts/resource.js";
import { Label, Text } from "../parts/text.js";
import { ExactTime, FullTime } from "../parts/time.js";
import { Tree, Value } from "../parts/tree.js";
import { ViewersNote } from "../parts/button.js";
import { href } from "../router.js";
import { arrivals, overview } from "../session.js";
import { markup, useEffect, useState } from "../ui.js";
import { UNFINISHED } from "../words.js";

/** @import { EventAnswer, PreviewAnswer } from "../../api.ts" */

/** @param {{ params: Readonly<Record<string, string>> }} props */
export function Event({ params }) {
  const key = params.key ?? "";
  const event = useResource((signal) => /** @type {Promise<EventAnswer>} */ (get("event", { key }, signal)), [key]);
  const isOpen = event.data?.deliveries.some(({ state }) => UNFINISHED.includes(state)) ?? false;
  const beat = isOpen ? overview.value : arrivals.value;
  useEffect(() => {
    if (event.data !== null) event.reload();
  }, [beat]);
  return markup`<${Loaded} of=${event} title="Event">${(/** @type {EventAnswer} */ data) =>
    markup`<${Whole} event=${data} reload=${event.reload} />`}<//>
    ${
    event.data === null && event.error !== null && markup`
      <${Empty} title="This event is not shown.">
        <p>Events are kept for as long as <code>ledger.keepDays</code> says. <a href=${
      href("events", { text: key })
    }>Search for its key</a></p>
        <//>
    `
  }`;
}

/** @param {{ event: EventAnswer, reload: () => void }} props */
function Whole({ event, reload }) {
  const { key, detail, deliveries, serverId } = event;
  const name = detail?.FQDN ?? serverId ?? key;
  return markup`
    <${Heading} title=${markup`
      <${KindBadge} kind=${event.kind} subject=${event.subject} />
      <${Text} value=${name} limit=${120} />
    `}>
      ${
    serverId !== null &&
    markup`<a class="button" href=${href("server", { id: serverId })}><${Icon} name="server" />Life of the server</a>`
  }
    <//>
    <${Facts} event=${event} />
    <h2>Deliveries</h2>
    <${ViewersNote} />
    ${
    deliveries.length === 0 && markup`
      <${Empty} title="No plugin is told of this event.">
        <p>A plugin is told what its section of <code>config.ts</code> selects.</p>
        <//>
    `
  }
    <div class="stack">${
    deliveries.map((delivery) =>
      markup`<${Delivery} key=${delivery.plugin} event=${event} delivery=${delivery} reload=${reload} />`
    )
  }</div>
    <${Preview} eventKey=${key} />
    <section aria-labelledby="detail"><h2 id="detail">Detail</h2>${
    detail === null
      ? markup`
        <${Empty} title="It has no detail yet.">
          <p>A detail that needs OpenStack waits until OpenStack answers. <a href="#/">The overview</a> says whether it does.</p>
          <//>
      `
      : markup`
        <div class="panel">
          <${Tree} value=${detail} />
        </div>
      `
  }</section>
    <section aria-labelledby="notification"><h2 id="notification">Notification</h2>${
    event.notification === null
      ? markup`
        <${Empty} title="It is not kept.">
          <p>Notifications are removed after <code>ledger.keepDays</code> days. An event that a comparison found has none.</p>
          <//>
      `
      : markup`
        <div class="panel">
          <${Tree} value=${event.notification} />
        </div>
      `
  }</section>
  `;
}

/** @param {{ event: EventAnswer }} props */
function Facts({ event }) {
  const { key, detail, decidedAt, time, eventType, origin, creationSeen, serverId } = event;
  const at = Date.parse(time);
  return markup`<dl class="facts panel">
    <div><dt>Key</dt><dd><code><${Text} value=${key} /></code><${Copy} value=${key} what="key" /></dd></div>
    ${
    detail !== null && markup`
      <div>
        <dt>Address</dt>
        <dd>${
      detail.IP === null
        ? markup`<span class="faint">unknown</span>`
        : markup`<a href=${
          href("events", { text: detail.IP })
        }><${Label} value=${detail.IP} limit=${80} /></a> <span class="faint">${detail.IPType ?? ""}</span>`
    }</dd>
      </div>
    `
  }
    ${
    detail !== null && markup`
      <div>
        <dt>Project</dt>
        <dd>${
      detail.ProjectID === null
        ? markup`<span class="faint">unknown</span>`
        : markup`<a href=${href("events", { text: detail.ProjectID })}><${Label} value=${
          detail.ProjectName ?? detail.ProjectID
        } limit=${80} /></a>`
    }</dd>
      </div>
    `
  }
    ${
    serverId !== null && markup`
      <div>
        <dt>Server</dt>
        <dd><a href=${href("server", { id: serverId })}><${Label} value=${serverId} limit=${80} /></a></dd>
      </div>
    `
  }
    <div><dt>Notified</dt><dd>${
    Number.isNaN(at) ? markup`<${Text} value=${time} limit=${60} />` : markup`<${ExactTime} at=${at} />`
  }</dd></div>
    <div><dt>Decided</dt><dd><${FullTime} at=${decidedAt} /></dd></div>
    <div><dt>Because of</dt><dd><code><${Text} value=${eventType} limit=${100} /></code>${
    origin === "reconcile" && markup`<span class="faint">found by a comparison</span>`
  }</dd></div>
    ${
    !creationSeen && markup`
      <div>
        <dt>Creation</dt>
        <dd>not known: it happened before the ledger began</dd>
      </div>
    `
  }
  </dl>`;
}

/** What would be sent now. It is made when somebody asks. @param {{ eventKey: string }} props */
function Preview({ eventKey }) {
  const [state, setState] = useState(
    /** @type {{ answer?: PreviewAnswer, error?: string, isLoading?: boolean }} */ ({}),
  );
  const load = async () => {
    setState({ isLoading: true });
    try {
      setState({ answer: await get("preview", { key: eventKey }) });
    } catch (error) {
      setState({ error: textOf(error) });
    }
  };
  const { answer, error, isLoading = false } = state;
  return markup`<section aria-labelledby="preview">
    <div class="heading"><h2 id="preview">What would be sent now</h2><button type="button" disabled=${isLoading} onClick=${load}>${
    isLoading ? "Asking …" : answer ? "Ask again" : "Show"
  }</button></div>
    <${ErrorNote} text=${error ?? null} retry=${load} />
    ${answer === undefined && markup`<p class="faint">Each plugin's preview of this event. Nothing is sent.</p>`}
    ${answer?.plugins.length === 0 && markup`<${Empty} title="No plugin would be told." />`}
    <div class="stack" aria-live="polite">${
    answer?.plugins.map((plugin) => markup`<${PluginPreview} key=${plugin.name} plugin=${plugin} />`)
  }</div>
  </section>`;
}

/** @param {{ plugin: { readonly name: string, readonly method: string, readonly preview: unknown, readonly error: string | null } }} props */
export function PluginPreview({ plugin: { name, method, preview, error } }) {
  return markup`
    <article
      class="panel"><h3><${Text} value=${name} limit=${80} /> <span class="faint">${
    method === "none" ? "would not be called" : markup`<code>${method}</code>`
  }</span></h3>${
    error !== null
      ? markup`
          <p class="bad">
            <${Text} value=${error} lines />
          </p>
        `
      : method === "none"
      ? null
      : preview === null
      ? markup`<p class="faint">This plugin has no preview.</p>`
      : markup`<${Value} value=${preview} />`
  }</article>
  `;
}
