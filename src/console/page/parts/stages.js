// @ts-check
// The way of a message, from the broker to the targets, in one tile a stage.
import { count, counted, figure } from "../format.js";
import { href } from "../router.js";
import { markup } from "../ui.js";
import { OUTCOMES } from "../words.js";
import { Badge } from "./badge.js";
import { Label } from "./text.js";
import { Time } from "./time.js";

/** @import { OverviewAnswer } from "../../api.ts" */

/** @param {{ title: string, kind?: "wide" | "alarm" | "", children?: unknown }} props */
const Tile = ({ title, kind = "", children }) =>
  markup`<div class=${`panel tile ${kind}`}><h2>${title}</h2>${children}</div>`;

/** @param {{ answer: OverviewAnswer }} props */
export function Stages({ answer }) {
  const { sources, openstack, plugins, lastMessageAt } = answer;
  const sum = (/** @type {"waiting" | "retrying" | "dead"} */ key) =>
    plugins.reduce((total, plugin) => total + plugin[key], 0);
  return markup`<section class="tiles" aria-label="State">
    <${Tile} title=${sources.length === 1 ? "Source" : "Sources"} kind="wide">
      ${sources.map((source) => markup`<${Source} key=${`${source.broker} ${source.queue}`} source=${source} />`)}
      <small>last message <${Time} at=${lastMessageAt} /></small>
    <//>
    <${Messages} messages=${answer.messages} />
    <${Ledger} ledger=${answer.ledger} />
    ${openstack !== null && markup`<${OpenStack} openstack=${openstack} />`}
    <${Tile} title="Unfinished deliveries">
      <p class="figure" title=${count(sum("waiting"))}>${figure(sum("waiting"))}</p>
      <small><a href=${href("events", { state: "waiting" })}>${
    count(sum("waiting") - sum("retrying"))
  } waiting</a>, <a href=${href("events", { state: "retrying" })}>${count(sum("retrying"))} retrying</a></small>
    <//>
    <${Tile} title="Dead letters" kind=${sum("dead") > 0 ? "alarm" : ""}>
      <p class="figure"><a href=${href("dead-letters")}>${figure(sum("dead"))}</a></p>
      <small>given up until replayed</small>
    <//>
  </section>`;
}

/** @param {{ source: OverviewAnswer["sources"][number] }} props */
function Source({ source: { broker, queue, connected, consuming } }) {
  const [tone, icon, word] = !connected
    ? ["bad", "cross", "not connected"]
    : consuming
    ? ["ok", "check", "consuming"]
    : ["warn", "pause", "connected, not consuming"];
  return markup`<div class="tile-row"><${Badge} tone=${tone} icon=${icon}>${word}<//><small><${Label} value=${broker} /> · <${Label} value=${queue} /></small></div>`;
}

/** @param {{ messages: OverviewAnswer["messages"] }} props */
function Messages({ messages: { received, recorded, ignored, rejected } }) {
  return markup`<${Tile} title="Messages">
    <p class="figure" title=${count(received)}>${figure(received)}</p>
    <small>${count(recorded)} recorded, ${count(ignored)} ignored, ${count(rejected)} rejected since the start</small>
    ${rejected > 0 && markup`<small><code>oss-watcher events --state rejected</code> lists them</small>`}
  <//>`;
}

/** @param {{ ledger: OverviewAnswer["ledger"] }} props */
function Ledger({ ledger: { kind, writable } }) {
  return markup`<${Tile} title="Ledger">
    <${Badge} tone=${writable ? "ok" : "bad"} icon=${writable ? "check" : "cross"}>${
    writable ? "writable" : "not writable"
  }<//>
    <small>${kind === "sqlite" ? "SQLite, one file" : "PostgreSQL, shared"}</small>
  <//>`;
}

/** @param {{ openstack: NonNullable<OverviewAnswer["openstack"]> }} props */
function OpenStack({ openstack: { lastComparison, agreedAt, deciding } }) {
  if (!deciding) {
    return markup`<${Tile} title="OpenStack"><${Badge} tone="busy" icon="clock">priming<//><small>messages are recorded, and decided when what exists has been read</small><//>`;
  }
  if (lastComparison === null) {
    return markup`<${Tile} title="OpenStack"><${Badge} tone="off" icon="info">never compared<//><small><a href=${
      href("drift")
    }>compare now</a></small><//>`;
  }
  const { tone, icon, word } = OUTCOMES[lastComparison.outcome] ??
    { tone: "off", icon: "info", word: lastComparison.outcome };
  const drift = Object.values(lastComparison.drift).reduce((sum, each) => sum + each, 0);
  return markup`<${Tile} title="OpenStack">
    <${Badge} tone=${tone} icon=${icon}>${word}<//>
    <small><a href=${href("drift")}>${counted(drift, "difference")}</a></small>
    <small>agreed <${Time} at=${agreedAt} /></small>
  <//>`;
}
