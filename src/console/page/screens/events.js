// @ts-check
// All events, newest first and live, as the filters say.
import { listOf, unfinishedInSight } from "../event_list.js";
import { absolute, count, counted } from "../format.js";
import { byEvent, EventTable } from "../parts/deliveries.js";
import { Empty, ErrorNote, Loading } from "../parts/feedback.js";
import { Filters } from "../parts/filters.js";
import { Heading } from "../parts/heading.js";
import { Icon } from "../parts/icon.js";
import { Text } from "../parts/text.js";
import { href, replace, route } from "../router.js";
import { arrivals, overview, reconnections } from "../session.js";
import { markup, useEffect, useMemo } from "../ui.js";

/** @import { EventList } from "../event_list.js" */

export function Events() {
  const { params } = route.value;
  const { live: _, ...filters } = params;
  const list = useMemo(() => listOf(filters), [JSON.stringify(filters)]);
  const isLive = params.live !== "off";
  useLive(list, isLive);
  const rows = useMemo(() => byEvent(list.rows.value), [list.rows.value]);
  // The screen is made anew every two seconds: a long list is not.
  const table = useMemo(() => markup`<${EventTable} rows=${rows} label="Events, newest first" />`, [rows]);
  const toggle = () => replace(href("events", { ...params, live: isLive ? "off" : "" }));
  return markup`
    <${Heading} title="Events">
      <button type="button" class="toggle" aria-pressed=${isLive} title="New events are shown as they come" onClick=${toggle}><${Icon} name=${
    isLive ? "check" : "pause"
  } />Live</button>
    <//>
    ${
    params.text &&
    markup`<p class="searched">Search: <strong><${Text} value=${params.text} /></strong> <a href=${
      href("events", { ...params, text: "" })
    }>all events</a></p>`
  }
    <${Filters} params=${params} />
    <${ErrorNote} text=${list.error.value} retry=${() => list.reset()} />
    <${Fresh} list=${list} />
    ${rows.length > 0 && table}
    <${End} list=${list} events=${rows.length} params=${params} />
  `;
}

/** @param {EventList} list @param {boolean} isLive */
function useLive(list, isLive) {
  useEffect(() => void (list.isRead.value ? list.catchUp({ show: true }) : list.reset()), [list]);
  const wakes = [arrivals.value, reconnections.value];
  useEffect(() => {
    if (isLive) list.catchUp({ show: scrollY < 40 });
  }, wakes);
  const beat = overview.value;
  useEffect(() => {
    list.refresh(unfinishedInSight());
    if (isLive && list.isBehind) list.catchUp({ show: scrollY < 40 });
  }, [beat]);
  useEffect(() => {
    const atTop = () => scrollY < 40 && isLive && list.showFresh();
    addEventListener("scroll", atTop, { passive: true });
    return () => removeEventListener("scroll", atTop);
  }, [list, isLive]);
}

/** What came while the list was scrolled. @param {{ list: EventList }} props */
function Fresh({ list }) {
  const fresh = list.fresh.value.length;
  if (fresh === 0) return null;
  const show = () => {
    list.showFresh();
    scrollTo({ top: 0, behavior: "instant" });
  };
  return markup`<div class="fresh"><button type="button" class="primary" onClick=${show}>Show ${
    counted(fresh, "new delivery", "new deliveries")
  }</button></div>`;
}

/** @param {{ list: EventList, events: number, params: Readonly<Record<string, string>> }} props */
function End({ list, events, params }) {
  const { next, searchedTo, isLoading, isRead } = list;
  if (!isRead.value) return isLoading.value ? markup`<${Loading} />` : null;
  if (next.value !== null) {
    const place = searchedTo.value === null ? "" : `, searched back to ${absolute(searchedTo.value)}`;
    return markup`
      <div
        class="end"><p role="status">${
      events === 0 ? "Nothing found yet" : `${count(events)} shown`
    }${place}.</p><button type="button" disabled=${isLoading.value} onClick=${() => list.more()}>${
      isLoading.value ? "Reading …" : events === 0 ? "Go on" : "Show older"
    }</button></div>
    `;
  }
  if (events > 0) return markup`<p class="end faint">These are all, ${counted(events, "event")}.</p>`;
  return Object.keys(params).some((name) => name !== "live")
    ? markup`
      <${Empty} title="No event is like this.">
        <p>An address, a name and an id are found whole or without the domain, a key also by its beginning. <a href=${
      href("events")
    }>Show all events</a></p>
        <//>
    `
    : markup`
      <${Empty} title="There is no event yet.">
        <p>Events are made of notifications of servers and floating IPs. See what arrives: <code>oss-watcher tail</code>. See what would be made of a notification: <a href=${
      href("try")
    }>Try</a>.</p>
        <//>
    `;
}
