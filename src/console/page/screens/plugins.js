// @ts-check
// All plugins, and one of them with its settings and actions.
import { get } from "../api.js";
import { count, seconds } from "../format.js";
import { ViewersNote } from "../parts/button.js";
import { Empty, Loaded, Note } from "../parts/feedback.js";
import { Heading } from "../parts/heading.js";
import { PluginActions } from "../parts/plugin_actions.js";
import { Condition, Figure, PluginTable } from "../parts/plugin_table.js";
import { useResource } from "../parts/resource.js";
import { Text } from "../parts/text.js";
import { FullTime } from "../parts/time.js";
import { Tree } from "../parts/tree.js";
import { href } from "../router.js";
import { overview } from "../session.js";
import { markup, useEffect } from "../ui.js";
import { REASONS } from "../words.js";

/** @import { PluginsAnswer } from "../../api.ts" */
/** @typedef {PluginsAnswer["plugins"][number]} Plugin */

/** @param {{ name: string | null }} props */
export function Plugins({ name }) {
  const answer = useResource((signal) => /** @type {Promise<PluginsAnswer>} */ (get("plugins", {}, signal)));
  const beat = overview.value;
  useEffect(() => {
    if (answer.data !== null && !answer.isLoading) answer.reload();
  }, [beat]);
  return markup`<${Loaded} of=${answer} title="Plugins">${(/** @type {PluginsAnswer} */ { plugins }) =>
    name === null
      ? markup`<${All} plugins=${plugins} />`
      : markup`<${One} plugin=${
        plugins.find((plugin) => plugin.name === name)
      } name=${name} reload=${answer.reload} />`}<//>`;
}

/** @param {{ plugins: readonly Plugin[] }} props */
function All({ plugins }) {
  return markup`
    <${Heading} title="Plugins" />
    <${PluginTable} plugins=${plugins} />
  `;
}

/** @param {{ plugin: Plugin | undefined, name: string, reload: () => void }} props */
function One({ plugin, name, reload }) {
  if (plugin === undefined) {
    return markup`
      <${Heading} title="Plugins" />
      <${Empty} title="There is no plugin of this name.">
        <p><${Text} value=${name} limit=${80} /> was never configured. <a href=${href("plugins")}>All plugins</a></p>
        <//>
    `;
  }
  const { settings, retry, can, paused, outage } = plugin;
  return markup`
    <p class="crumbs"><a href=${href("plugins")}>Plugins</a></p>
    <${Heading} title=${markup`
      <${Text} value=${name} limit=${80} />
      <${Condition} plugin=${plugin} />
    `} />
    <${ViewersNote} />
    ${
    paused !== null && markup`
      <${Note} tone="warn">
        <p>Paused <${FullTime} at=${paused.at} /> by <${Text} value=${paused.by} limit=${80} />. Its deliveries wait, in order, until it is resumed.</p>
        <//>
    `
  }
    ${
    outage !== null && markup`
      <${Note} tone="bad">
        <p>The target is down since <${FullTime} at=${outage.since} />: ${
      REASONS[outage.reason] ??
        outage.reason
    }. The next probe: <${FullTime} at=${outage.nextProbeAt} />.</p>
        <p>
          <${Text} value=${outage.error} lines />
        </p>
        <//>
    `
  }
    <${PluginActions} plugin=${plugin} reload=${reload} />
    <${Figures} plugin=${plugin} />
    <div class="columns">
      <section aria-labelledby="settings"><h2 id="settings">Settings</h2>${
    settings === null
      ? markup`
          <${Empty} title="It is not configured here.">
            <p>What it left behind can be dropped: <a href=${
        href("events", {
          plugin: name,
          state: "waiting",
        })
      }>its deliveries</a></p>
            <//>
        `
      : markup`
          <div class="panel">
            <p>Class <code><${Text} value=${settings.kind} limit=${80} /></code></p>
            <${Tree} value=${settings.options} open=${2} />
          </div>
        `
  }</section>
      <section aria-labelledby="retries">
        <h2 id="retries">Retries and abilities</h2>
        <div class="panel">
          <${Tree} value=${retry} open=${2} />
          <${Abilities} can=${can} />
        </div>
      </section>
    </div>
  `;
}

/** @param {{ plugin: Plugin }} props */
function Figures({ plugin }) {
  const { name, deliveries, attemptsPerMinute, failuresPerMinute, p50Seconds, p99Seconds } = plugin;
  const state = (/** @type {keyof Plugin["deliveries"]} */ key) => href("events", { plugin: name, state: key });
  return markup`
    <dl class="facts panel figures-line">
      <div>
        <dt>Waiting</dt>
        <dd>
          <${Figure} value=${deliveries.waiting} to=${state("waiting")} label="deliveries wait" />
        </dd>
      </div>
      <div>
        <dt>Retrying</dt>
        <dd>
          <${Figure} value=${deliveries.retrying} tone="warn" to=${state("retrying")} label="deliveries are retried" />
        </dd>
      </div>
      <div>
        <dt>Dead</dt>
        <dd>
          <${Figure} value=${deliveries.dead} tone="bad" to=${
    href("dead-letters", { plugin: name })
  } label="dead letters" />
        </dd>
      </div>
      <div>
        <dt>Done</dt>
        <dd>
          <${Figure} value=${deliveries.done} to=${state("done")} label="deliveries are done" />
        </dd>
      </div>
      <div>
        <dt>Skipped</dt>
        <dd>
          <${Figure} value=${deliveries.skipped} to=${state("skipped")} label="deliveries are skipped" />
        </dd>
      </div>
      <div>
        <dt>Dropped</dt>
        <dd>
          <${Figure} value=${deliveries.dropped} to=${state("dropped")} label="deliveries are dropped" />
        </dd>
      </div>
      <div>
        <dt>Attempts a minute</dt>
        <dd>${count(attemptsPerMinute)}</dd>
      </div>
      <div>
        <dt>Failures a minute</dt>
        <dd class=${failuresPerMinute > 0 ? "bad" : ""}>${count(failuresPerMinute)}</dd>
      </div>
      <div>
        <dt>Median</dt>
        <dd>${seconds(p50Seconds)}</dd>
      </div>
      <div>
        <dt>Slowest 1 %</dt>
        <dd>${seconds(p99Seconds)}</dd>
      </div>
      <div>
        <dt>Breaker</dt>
        <dd>${plugin.breaker ?? markup`<span class="faint">not of this process</span>`}</dd>
      </div>
    </dl>
  `;
}

const ABILITIES = /** @type {const} */ ([
  ["preview", "shows what it would send"],
  ["check", "checks its target"],
  ["update", "tells of changes"],
  ["list", "lists what its target has"],
]);

/** @param {{ can: Plugin["can"] }} props */
function Abilities({ can }) {
  return markup`<ul class="abilities">${
    ABILITIES.map(([ability, words]) =>
      markup`<li key=${ability}><code>${ability}</code> ${
        can[ability] ? words : markup`<span class="faint">not: it does not implement it</span>`
      }</li>`
    )
  }</ul>`;
}
