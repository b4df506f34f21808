// @ts-check
// All plugins in figures. Each figure leads to what it counts.
import { count, seconds } from "../format.js";
import { href } from "../router.js";
import { markup } from "../ui.js";
import { Badge } from "./badge.js";
import { Empty } from "./feedback.js";
import { Table } from "./table.js";
import { Label } from "./text.js";
import { Time } from "./time.js";

/** @import { PluginOverview } from "../../api.ts" */
/** @import { IconName } from "./icon.js" */
/** @import { Tone } from "../words.js" */

/** How a plugin stands, the most serious thing first. @param {PluginOverview} plugin @returns {{ tone: Tone, icon: IconName, word: string }} */
function conditionOf({ isConfigured, paused, outage, breaker, retrying, dead }) {
  if (!isConfigured) return { tone: "off", icon: "minus", word: "not configured" };
  if (paused !== null) return { tone: "warn", icon: "pause", word: "paused" };
  if (outage !== null || breaker === "open") return { tone: "bad", icon: "cross", word: "target is down" };
  if (retrying > 0) return { tone: "warn", icon: "retry", word: "retrying" };
  if (dead > 0) return { tone: "warn", icon: "alert", word: "has dead letters" };
  return { tone: "ok", icon: "check", word: "works" };
}

/** @param {{ plugin: PluginOverview }} props */
export function Condition({ plugin }) {
  const { tone, icon, word } = conditionOf(plugin);
  return markup`<${Badge} tone=${tone} icon=${icon}>${word}<//>`;
}

/** A number that leads to what it counts. @param {{ value: number, to: string, label: string, tone?: string }} props */
export const Figure = ({ value, to, label, tone = "" }) =>
  markup`<a class=${value > 0 ? tone : "zero"} href=${to} aria-label=${`${count(value)} ${label}`}>${count(value)}</a>`;

/** @type {readonly import("./table.js").Column<PluginOverview>[]} */
const COLUMNS = [
  {
    label: "Plugin",
    cell: ({ name }) => markup`<a data-row href=${href(["plugins", name])}><${Label} value=${name} /></a>`,
    className: "name",
  },
  { label: "State", cell: (plugin) => markup`<${Condition} plugin=${plugin} />` },
  {
    label: "Waiting",
    align: "end",
    cell: ({ name, waiting, retrying }) =>
      markup`<${Figure} value=${waiting - retrying} to=${
        href("events", { plugin: name, state: "waiting" })
      } label=${`deliveries of ${name} wait`} />`,
  },
  {
    label: "Retrying",
    align: "end",
    cell: ({ name, retrying }) =>
      markup`<${Figure} value=${retrying} tone="warn" to=${
        href("events", { plugin: name, state: "retrying" })
      } label=${`deliveries of ${name} are retried`} />`,
  },
  {
    label: "Dead",
    align: "end",
    cell: ({ name, dead }) =>
      markup`<${Figure} value=${dead} tone="bad" to=${
        href("dead-letters", { plugin: name })
      } label=${`dead letters of ${name}`} />`,
  },
  {
    label: "Waits since",
    cell: ({ oldestAt }) =>
      oldestAt === null ? markup`<span class="faint">–</span>` : markup`<${Time} at=${oldestAt} />`,
  },
  { label: "Attempts/min", align: "end", cell: ({ attemptsPerMinute }) => count(attemptsPerMinute) },
  {
    label: "Failures/min",
    align: "end",
    cell: ({ failuresPerMinute }) =>
      markup`<span class=${failuresPerMinute > 0 ? "bad" : ""}>${count(failuresPerMinute)}</span>`,
  },
  { label: "p50", align: "end", cell: ({ p50Seconds }) => seconds(p50Seconds) },
  { label: "p99", align: "end", cell: ({ p99Seconds }) => seconds(p99Seconds) },
];

/** @param {{ plugins: readonly PluginOverview[] }} props */
export function PluginTable({ plugins }) {
  if (plugins.length === 0) {
    return markup`
      <${Empty} title="No plugin is configured.">
        <p>Add one to <code>plugins</code> in config.ts, then reload the service: <code>systemctl reload oss-watcher</code>.</p>
        <//>
    `;
  }
  return markup`<${Table} name="plugin-table" label="Plugins" columns=${COLUMNS} rows=${plugins} keyOf=${(
    /** @type {PluginOverview} */ { name },
  ) => name} />`;
}
