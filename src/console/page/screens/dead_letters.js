// @ts-check
// Deliveries that were given up: why, and what to do with them.
import { wish } from "../actions.js";
import { get } from "../api.js";
import { count, counted } from "../format.js";
import { ActionButton, ViewersNote } from "../parts/button.js";
import { Empty, Loaded } from "../parts/feedback.js";
import { Heading } from "../parts/heading.js";
import { Letters } from "../parts/letters.js";
import { useResource } from "../parts/resource.js";
import { Label, Text } from "../parts/text.js";
import { Time } from "../parts/time.js";
import { href } from "../router.js";
import { overview } from "../session.js";
import { markup, useEffect, useState } from "../ui.js";
import { REASONS } from "../words.js";

/** @import { DeadLettersAnswer } from "../../api.ts" */
/** @typedef {DeadLettersAnswer["groups"][number]} Group */

/** @param {Group} group */
const idOf = ({ plugin, reason }) => `${plugin} ${reason}`;
/** @param {Group} group */
const targetOf = ({ plugin, reason }) => ({ plugin, reason });

/** @param {{ params: Readonly<Record<string, string>> }} props */
export function DeadLetters({ params }) {
  const answer = useResource((signal) => /** @type {Promise<DeadLettersAnswer>} */ (get("dead-letters", {}, signal)));
  const dead = overview.value?.plugins.reduce((sum, plugin) => sum + plugin.dead, 0);
  useEffect(() => {
    if (answer.data !== null) answer.reload();
  }, [dead]);
  return markup`
    <${Heading} title="Dead letters" />
    <p
      class="lead">Deliveries that were given up: the target refused them, or did not take them in time. It has <strong>not</strong> heard of these events.</p>
    <${ViewersNote} />
    <${Loaded} of=${answer}>${(/** @type {DeadLettersAnswer} */ data) =>
    markup`<${Groups} groups=${data.groups} params=${params} reload=${answer.reload} />`}<//>
  `;
}

/** @param {{ groups: readonly Group[], params: Readonly<Record<string, string>>, reload: () => void }} props */
function Groups({ groups, params, reload }) {
  const [chosen, setChosen] = useState(/** @type {readonly string[]} */ ([]));
  const shown = groups.filter(({ plugin }) => !params.plugin || plugin === params.plugin);
  const selected = shown.filter((group) => chosen.includes(idOf(group)));
  const toggle = (/** @type {string} */ id) =>
    setChosen(chosen.includes(id) ? chosen.filter((each) => each !== id) : [...chosen, id]);
  const filter = params.plugin !== undefined && markup`
    <p
      class="searched">Of <strong><${Text} value=${params.plugin} limit=${80} /></strong>. <a href=${
    href("dead-letters")
  }>Of all plugins</a></p>
  `;
  if (shown.length === 0) {
    return markup`
      ${filter}<${Empty} title="There is no dead letter.">
        <p>Every delivery was done, or still has attempts left. <a href=${
      href("events", { state: "retrying" })
    }>See what is being retried</a></p>
        <//>
    `;
  }
  return markup`${filter}
    <div class="groups">${
    shown.map((group) =>
      markup`<${GroupCard} key=${idOf(group)} group=${group} isChosen=${chosen.includes(idOf(group))} toggle=${() =>
        toggle(idOf(group))} reload=${reload} />`
    )
  }</div>
    ${
    selected.length > 1 && markup`<${SelectedGroups} groups=${selected} reload=${() => {
      setChosen([]);
      reload();
    }} />`
  }
    <${Letters} plugin=${params.plugin ?? null} reload=${reload} />`;
}

/** @param {{ group: Group, isChosen: boolean, toggle: () => void, reload: () => void }} props */
function GroupCard({ group, isChosen, toggle, reload }) {
  const { plugin, reason, sampleError, sampleKey } = group;
  const what = `${counted(group.count, "dead letter")} of ${plugin} (${REASONS[reason] ?? reason})`;
  const ask = (/** @type {"replay" | "drop"} */ action) => () =>
    wish.value = { action, what, targets: [targetOf(group)], onDone: reload };
  return markup`<article class="panel group">
    <h2><label class="choose"><input type="checkbox" checked=${isChosen} onChange=${toggle} /><span class="hidden">Choose the </span><span class="figure bad">${
    count(group.count)
  }</span><span class="hidden"> dead letters of </span><${Label} value=${plugin} /></label> <span class="faint">${
    REASONS[reason] ?? reason
  }</span></h2>
    <p class="sample"><${Text} value=${sampleError} limit=${240} /></p>
    <p class="faint"><${Ages} group=${group} /> · <a data-row href=${
    href("event", { key: sampleKey })
  }>the newest</a> · <a href=${href("events", { plugin, state: "dead" })}>all of this plugin as events</a></p>
    <div class="buttons">
      <${ActionButton} kind="primary" label=${`Replay ${what}`} onClick=${ask("replay")}>Replay …<//>
      <${ActionButton} label=${`Drop ${what}`} onClick=${ask("drop")}>Drop …<//>
    </div>
  </article>`;
}

/** @param {{ group: Group }} props */
function Ages({ group: { count: number, oldestAt, newestAt } }) {
  return number === 1 || newestAt - oldestAt < 60_000
    ? markup`<${Time} at=${newestAt} />`
    : markup`from <${Time} at=${oldestAt} /> to <${Time} at=${newestAt} />`;
}

/** @param {{ groups: readonly Group[], reload: () => void }} props */
function SelectedGroups({ groups, reload }) {
  const total = groups.reduce((sum, group) => sum + group.count, 0);
  const what = `${counted(total, "dead letter")} of ${groups.length} groups`;
  const ask = (/** @type {"replay" | "drop"} */ action) => () =>
    wish.value = { action, what, targets: groups.map(targetOf), onDone: reload };
  return markup`<div class="selection" role="region" aria-label="Chosen groups"><span>${what} chosen</span>
    <${ActionButton} kind="primary" onClick=${ask("replay")}>Replay these …<//><${ActionButton} onClick=${
    ask("drop")
  }>Drop these …<//></div>`;
}
