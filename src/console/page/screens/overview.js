// @ts-check
// Is everything well, and if not: what mends it?
import { get } from "../api.js";
import { count, counted, duration, seconds, shortCount, size } from "../format.js";
import { Badge } from "../parts/badge.js";
import { Chart } from "../parts/chart.js";
import { Loaded, Loading } from "../parts/feedback.js";
import { Heading } from "../parts/heading.js";
import { Icon } from "../parts/icon.js";
import { PluginTable } from "../parts/plugin_table.js";
import { useResource } from "../parts/resource.js";
import { Label, Text } from "../parts/text.js";
import { Time } from "../parts/time.js";
import { href } from "../router.js";
import { now, overview } from "../session.js";
import { markup, useEffect } from "../ui.js";
import { OUTCOMES } from "../words.js";

/** @import { HistoryAnswer, OverviewAnswer } from "../../api.ts" */

/** @param {{ params: Readonly<Record<string, string>> }} props */
export function Overview({ params }) {
  const range = params.range === "day" ? "day" : "hour";
  const answer = overview.value;
  return markup`
    <${Heading} title="Overview" />
    ${answer === null ? markup`<${Loading} />` : markup`<${Now} answer=${answer} />`}
    <${History} range=${range} />
    ${answer !== null && markup`<${Process} answer=${answer} />`}
  `;
}

/** @param {{ answer: OverviewAnswer }} props */
function Now({ answer }) {
  return markup`
    <${Problems} problems=${answer.problems} />
    <${Stages} answer=${answer} />
    <h2>Plugins</h2>
    <${PluginTable} plugins=${answer.plugins} />
  `;
}

/** @param {{ problems: OverviewAnswer["problems"] }} props */
function Problems({ problems }) {
  if (problems.length === 0) {
    return markup`
      <section class="panel verdict ok" aria-label="Verdict">
        <${Icon} name="check" />
        <p><strong>All is well.</strong> Sources, ledger and targets work, and nothing waits for you.</p>
      </section>
    `;
  }
  return markup`
    <section aria-labelledby="problems">
      <h2 id="problems">${counted(problems.length, "problem")}</h2>
      <ul class="problems">${
    problems.map(({ level, text, remedy, link }) =>
      markup`<li key=${text} class=${`panel problem ${level}`}><${Icon} name=${
        level === "error" ? "cross" : "alert"
      } /><div>
        <p class="problem-text"><span class="hidden">${level}: </span><${Text} value=${text} /></p>
        <p class="remedy"><${Remedy} text=${remedy} /></p>
      </div>${
        link?.startsWith("#/") &&
        markup`<a class="button" href=${link} aria-label=${`Show: ${
          text.slice(0, 120)
        }`}>Show<${Icon} name="right" /></a>`
      }</li>`
    )
  }</ul>
    </section>
  `;
}

/** A sentence, in which commands stand between backticks or are the whole of it. @param {{ text: string }} props */
function Remedy({ text }) {
  if (/^oss-watcher /.test(text)) return markup`<code><${Text} value=${text} /></code>`;
  return text.split("`").map((part, index) =>
    index % 2 === 1 ? markup`<code><${Text} value=${part} /></code>` : markup`<${Text} value=${part} />`
  );
}

/** The way of a message: from the broker to the targets. @param {{ answer: OverviewAnswer }} props */
function Stages({ answer }) {
  const { sources, ledger, openstack, plugins, lastMessageAt, messages } = answer;
  const sum = (/** @type {(plugin: OverviewAnswer["plugins"][number]) => number} */ of) =>
    plugins.reduce((total, plugin) => total + of(plugin), 0);
  return markup`
    <section class="tiles" aria-label="State">
      <div
        class="panel tile"><h2>${sources.length > 1 ? "Sources" : "Source"}</h2>${
    sources.map((source) =>
      markup`
            <div class="tile-row" key=${`${source.broker} ${source.queue}`}>
              <${Badge} tone=${source.connected ? source.consuming ? "ok" : "warn" : "bad"}
                icon=${source.connected ? source.consuming ? "check" : "pause" : "cross"}>${
        source.connected ? source.consuming ? "consuming" : "connected, not consuming" : "not connected"
      }<//><small><${Label} value=${source.broker} /> <${Label} value=${source.queue} /></small></div>
          `
    )
  }<small>last message <${Time} at=${lastMessageAt} /></small></div>
      <div
        class="panel tile"><h2>Messages</h2><p class="figure">${count(messages.received)}</p><small>${
    count(messages.recorded)
  } recorded, ${count(messages.ignored)} ignored, ${count(messages.rejected)} rejected</small></div>
      <div class="panel tile">
        <h2>Ledger</h2>
        <${Badge} tone=${ledger.writable ? "ok" : "bad"} icon=${ledger.writable ? "check" : "cross"}>${
    ledger.writable ? "writable" : "not writable"
  }<//><small>${ledger.kind === "sqlite" ? "SQLite, one file" : "PostgreSQL, shared"}</small></div>
        ${openstack !== null && markup`<${OpenStack} openstack=${openstack} />`}
        <div class="panel tile"><h2>Unfinished deliveries</h2><p class="figure"><a href=${
    href("events", { state: "waiting" })
  }>${count(sum((each) => each.waiting))}</a></p><small><a href=${href("events", { state: "retrying" })}>${
    count(sum((each) => each.retrying))
  } of them retrying</a></small></div>
        <div class=${`panel tile ${
    sum((each) => each.dead) > 0 ? "alarm" : ""
  }`}><h2>Dead letters</h2><p class="figure"><a href=${href("dead-letters")}>${
    count(sum((each) => each.dead))
  }</a></p><small>given up until somebody replays them</small></div>
      </section>
  `;
}

/** @param {{ openstack: NonNullable<OverviewAnswer["openstack"]> }} props */
function OpenStack({ openstack: { lastComparison, agreedAt, deciding } }) {
  const look = lastComparison === null ? null : OUTCOMES[lastComparison.outcome];
  const drift = lastComparison === null ? 0 : Object.values(lastComparison.drift).reduce((sum, each) => sum + each, 0);
  return markup`<div class="panel tile"><h2>OpenStack</h2>${
    !deciding
      ? markup`
        <${Badge} tone="busy"
          icon="clock">priming<//><small>messages are recorded, and decided when what exists has been read</small>
      `
      : look === null || look === undefined
      ? markup`<${Badge} tone="off" icon="info">never compared<//>`
      : markup`
        <${Badge} tone=${look.tone}
          icon=${look.icon}>${look.word}<//><small><a href=${href("drift")}>${
        counted(
          drift,
          "difference",
        )
      }</a>, last agreed <${Time} at=${agreedAt} /></small>
      `
  }</div>`;
}

/** @param {{ range: "hour" | "day" }} props */
function History({ range }) {
  const history = useResource(
    (signal) => /** @type {Promise<HistoryAnswer>} */ (get("history", { range }, signal)),
    [range],
  );
  const seconds = range === "day" ? 600 : 30;
  useEffect(() => {
    const timer = setInterval(() => document.hidden || history.reload(), seconds * 1000);
    return () => clearInterval(timer);
  }, [seconds]);
  return markup`
    <section aria-labelledby="history">
      <div class="heading">
        <h2 id="history">The last ${range}</h2>
        <div class="switch" role="group" aria-label="Range">
          <a href=${href("overview")} aria-current=${range === "hour" ? "true" : null}>Hour</a><a href=${
    href(
      "overview",
      { range: "day" },
    )
  } aria-current=${range === "day" ? "true" : null}>Day</a>
        </div>
      </div>
      <${Loaded} of=${history}>${(/** @type {HistoryAnswer} */ data) => markup`<${Charts} data=${data} />`}<//>
      </section>
  `;
}

/** @param {{ data: HistoryAnswer }} props */
function Charts({ data }) {
  const { times, stepSeconds } = data;
  const hrefOf = (/** @type {Readonly<Record<string, string>>} */ more) => (/** @type {number} */ time) =>
    href("events", { ...more, since: time - stepSeconds * 1000, until: time });
  const step = stepSeconds === 30 ? "each 30 s" : "each 10 min";
  return markup`
    <div class="charts">
      <${Chart} title=${`Events, ${step}`} times=${times} format=${shortCount} hrefOf=${hrefOf({})} series=${[{
    label: "events",
    values: data.events,
    color: "blue",
    bars: true,
  }]} />
      <${Chart} title=${`Deliveries and failures, ${step}`} times=${times} format=${shortCount} hrefOf=${
    hrefOf({})
  } series=${[
    { label: "delivered", values: data.deliveries, color: "green" },
    { label: "failed attempts", values: data.failures, color: "red" },
  ]} />
      <${Chart} title="Duration of attempts" times=${times} format=${seconds} series=${[
    { label: "median", values: data.p50Seconds, color: "blue" },
    { label: "slowest 1 %", values: data.p99Seconds, color: "amber" },
  ]} />
      <${Chart} title="Unfinished deliveries" times=${times} format=${shortCount} series=${[{
    label: "unfinished",
    values: data.waiting,
    color: "violet",
  }]} />
    </div>
  `;
}

/** @param {{ answer: OverviewAnswer }} props */
function Process({ answer: { version, startedAt, process } }) {
  return markup`
    <p
      class="faint process">oss-watcher ${version}, running for ${duration(Math.max(0, now.value - startedAt))}, ${
    size(process.residentBytes)
  } of memory, ${duration(process.cpuSeconds * 1000)} of processor time</p>
  `;
}
