// @ts-check
// Is everything well, and if not: what mends it?
import { get } from "../api.js";
import { counted, duration, seconds, shortCount, size } from "../format.js";
import { Chart } from "../parts/chart.js";
import { Loaded, Loading } from "../parts/feedback.js";
import { Heading } from "../parts/heading.js";
import { Icon } from "../parts/icon.js";
import { PluginTable } from "../parts/plugin_table.js";
import { Stages } from "../parts/stages.js";
import { useResource } from "../parts/resource.js";
import { Text } from "../parts/text.js";
import { href } from "../router.js";
import { now, overview } from "../session.js";
import { markup, useEffect } from "../ui.js";

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
    <${Problems} problems=${answer.problems} plugins=${answer.plugins} />
    <${Stages} answer=${answer} />
    <h2>Plugins</h2>
    <${PluginTable} plugins=${answer.plugins} />
  `;
}

/** @param {{ problems: OverviewAnswer["problems"], plugins: OverviewAnswer["plugins"] }} props */
function Problems({ problems, plugins }) {
  // After a start the service knows of a target's outage sooner than of what it makes of it.
  if (
    problems.length === 0 && plugins.some(({ outage, dead, paused }) => outage !== null || dead > 0 || paused !== null)
  ) {
    return markup`<p class="faint" role="status">The service is still reading its ledger.</p>`;
  }
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

/** A sentence, with commands between backticks. @param {{ text: string }} props */
const Remedy = ({ text }) =>
  text.split("`").map((part, index) =>
    index % 2 === 1 ? markup`<code><${Text} value=${part} /></code>` : markup`<${Text} value=${part} />`
  );

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
      <${Chart} title=${`Events, ${step}`} times=${times} format=${shortCount} least=${4} hrefOf=${
    hrefOf({})
  } series=${[{
    label: "events",
    values: data.events,
    color: "blue",
    bars: true,
  }]} />
      <${Chart} title=${`Deliveries, ${step}`} times=${times} format=${shortCount} least=${4} hrefOf=${
    hrefOf({})
  } series=${[
    { label: "delivered", values: data.deliveries, color: "green" },
    { label: "failures", values: data.failures, color: "red" },
  ]} />
      <${Chart} title="Duration of attempts" times=${times} format=${seconds} least=${0.05} series=${[
    { label: "median", values: data.p50Seconds, color: "blue" },
    { label: "slowest 1 %", values: data.p99Seconds, color: "amber" },
  ]} />
      <${Chart} title="Unfinished deliveries" times=${times} format=${shortCount} least=${4} series=${[{
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
