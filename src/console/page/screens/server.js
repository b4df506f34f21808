// @ts-check
// The life of one server: its events, and what each target was last told.
import { get } from "../api.js";
import { count, counted } from "../format.js";
import { Badge, KindBadge } from "../parts/badge.js";
import { Copy } from "../parts/copy.js";
import { bySeverity, DeliveryChip } from "../parts/deliveries.js";
import { Empty, Loaded } from "../parts/feedback.js";
import { Heading } from "../parts/heading.js";
import { Icon } from "../parts/icon.js";
import { Lanes } from "../parts/lanes.js";
import { useResource } from "../parts/resource.js";
import { Table } from "../parts/table.js";
import { Label, Text } from "../parts/text.js";
import { FullTime, Time } from "../parts/time.js";
import { Tree } from "../parts/tree.js";
import { href } from "../router.js";
import { arrivals, overview } from "../session.js";
import { markup, useEffect } from "../ui.js";
import { STATES, UNFINISHED } from "../words.js";

/** @import { ServerAnswer } from "../../api.ts" */
/** @typedef {ServerAnswer["events"][number]} LifeEvent */
/** @typedef {ServerAnswer["told"][number]} Told */

/** @param {{ params: Readonly<Record<string, string>> }} props */
export function Server({ params }) {
  const id = params.id ?? "";
  const server = useResource((signal) => /** @type {Promise<ServerAnswer>} */ (get("server", { id }, signal)), [id]);
  const isOpen =
    server.data?.events.some(({ deliveries }) => deliveries.some(({ state }) => UNFINISHED.includes(state))) ?? false;
  const beat = isOpen ? overview.value : arrivals.value;
  useEffect(() => {
    if (server.data !== null) server.reload();
  }, [beat]);
  return markup`<${Loaded} of=${server} title="Server">${(/** @type {ServerAnswer} */ data) =>
    markup`<${Life} life=${data} />`}<//>
    ${
    server.data === null && server.error !== null && markup`
      <${Empty} title="This server is not shown.">
        <p><a href=${href("events", { text: id })}>Search for its id</a></p>
        <//>
    `
  }`;
}

/** @param {{ life: ServerAnswer }} props */
function Life({ life }) {
  const { id, name, projectName, projectId, exists, events, isCut, told } = life;
  return markup`
    <${Heading} title=${markup`Server <${Text} value=${name ?? id} limit=${120} />`}>
      <a class="button" href=${href("events", { text: id })}><${Icon} name="events" />Its deliveries</a>
    <//>
    <dl class="facts panel">
      <div><dt>State</dt><dd><${Existence} exists=${exists} /></dd></div>
      <div><dt>Id</dt><dd><code><${Text} value=${id} limit=${80} /></code><${Copy} value=${id} what="id" /></dd></div>
      <div><dt>Project</dt><dd>${
    projectId === null
      ? markup`<span class="faint">unknown</span>`
      : markup`<a href=${href("events", { text: projectId })}><${Label} value=${
        projectName ?? projectId
      } limit=${80} /></a>`
  }</dd></div>
    </dl>
    <h2>What each target was last told</h2>
    <${ToldTable} id=${id} told=${told} events=${events} />
    <h2>Its life</h2>
    ${
    events.length === 0 && markup`
      <${Empty} title="The ledger has no event of it.">
        <p>It was there before the ledger began, or its events are older than <code>ledger.keepDays</code>.</p>
        <//>
    `
  }
    ${
    isCut &&
    markup`<p class="faint">The newest ${count(events.length)} events. Older ones: <a href=${
      href("events", { text: id })
    }>search</a></p>`
  }
    <${Lanes} life=${life} />
    <ol class="life">${events.map((event) => markup`<${LifeEntry} key=${event.seq} event=${event} />`)}</ol>
  `;
}

/** @param {{ exists: boolean | null }} props */
function Existence({ exists }) {
  if (exists === null) return markup`<${Badge} tone="off" icon="info">not in memory<//>`;
  return exists
    ? markup`<${Badge} tone="ok" icon="check">exists<//>`
    : markup`<${Badge} tone="off" icon="trash">deleted<//>`;
}

/** @param {{ id: string, told: readonly Told[], events: readonly LifeEvent[] }} props */
function ToldTable({ id, told, events }) {
  /** @type {readonly import("../parts/table.js").Column<Told>[]} */
  const columns = [
    {
      label: "Plugin",
      cell: ({ plugin }) => markup`<a href=${href(["plugins", plugin])}><${Label} value=${plugin} /></a>`,
      className: "name",
    },
    {
      label: "Last told",
      cell: ({ key, at }) =>
        key === null ? markup`<span class="faint">nothing</span>` : markup`
          <a data-row href=${
          href("event", { key })
        }><${Happening} events=${events} eventKey=${key} /></a> <${Time} at=${at}
            none="" />
        `,
    },
    {
      label: "Has not heard of",
      cell: ({ plugin }) => markup`<${Missing} id=${id} events=${events} plugin=${plugin} />`,
    },
    {
      label: "What it was told",
      cell: ({ detail }) =>
        detail === null ? markup`<span class="faint">–</span>` : markup`
          <details>
            <summary>Detail</summary>
            <${Tree} value=${detail} />
          </details>
        `,
    },
  ];
  if (told.length === 0) return markup`<${Empty} title="No target was told of it." />`;
  return markup`
    <${Table} name="told-table" label="What each target was last told" columns=${columns} rows=${told}
      keyOf=${(/** @type {Told} */ { plugin }) => plugin} />
  `;
}

/** @param {{ events: readonly LifeEvent[], eventKey: string }} props */
function Happening({ events, eventKey }) {
  const event = events.find(({ key }) => key === eventKey);
  return event === undefined
    ? markup`<${Label} value=${eventKey} />`
    : markup`<${KindBadge} kind=${event.kind} subject=${event.subject} />`;
}

/** Of which of its events a target has not heard. @param {{ id: string, events: readonly LifeEvent[], plugin: string }} props */
function Missing({ id, events, plugin }) {
  const states = events.flatMap(({ deliveries }) => deliveries.filter((each) => each.plugin === plugin)).map((
    { state },
  ) => state);
  const missing = ["dead", "retrying", "waiting", "dropped"].map((state) => ({
    state,
    number: states.filter((each) => each === state).length,
  }))
    .filter(({ number }) => number > 0);
  if (states.every((state) => state === "skipped")) {
    return markup`<${Badge} tone="off" icon="minus">is not told of it<//>`;
  }
  if (missing.length === 0) return markup`<${Badge} tone="ok" icon="check">heard of everything<//>`;
  return markup`<div class="chips">${
    missing.map(({ state, number }) =>
      markup`<a key=${state} href=${href("events", { text: id, plugin, state })}><${Badge} tone=${
        STATES[state]?.tone
      } icon=${STATES[state]?.icon}>${
        state === "dead" ? counted(number, "dead letter") : `${count(number)} ${STATES[state]?.word}`
      }<//></a>`
    )
  }</div>`;
}

/** @param {{ event: LifeEvent }} props */
function LifeEntry({ event }) {
  return markup`
    <li class=${`life-entry ${event.kind}`}>
      <div class="life-head"><a data-row href=${
    href("event", { key: event.key })
  }><${KindBadge} kind=${event.kind} subject=${event.subject} /></a>
        ${
    event.address !== null && markup`<${Text} value=${event.address} limit=${80} />`
  } <${FullTime} at=${event.at} />${
    event.origin === "reconcile" && markup`<span class="faint">found by a comparison</span>`
  }</div>
      <div class="chips">${
    bySeverity(event.deliveries).map((delivery) =>
      markup`<${DeliveryChip} key=${delivery.plugin} delivery=${delivery} />`
    )
  }</div>
    </li>
  `;
}
