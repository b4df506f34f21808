// @ts-check
// A chart of the last hour or day. Its figures are also a table, for those who do not see it.
import { minuteOfDay } from "../format.js";
import { markup, uPlot, useEffect, useLayoutEffect, useRef, useState } from "../ui.js";

/**
 * @typedef {{
 *   label: string,
 *   values: readonly (number | null)[],
 *   color: "blue" | "green" | "red" | "violet" | "amber",
 *   bars?: boolean,
 * }} Series
 */

/**
 * @typedef {{
 *   title: string,
 *   times: readonly number[],
 *   series: readonly Series[],
 *   format: (value: number) => string,
 *   least: number,
 *   hrefOf?: (time: number) => string,
 * }} ChartProps `least`: the axis reaches at least to it. `hrefOf`: what a step counts
 */

const HEIGHT = 150;

/** @param {ChartProps} props */
export function Chart({ title, times, series, format, least, hrefOf = undefined }) {
  const isEmpty = series.every(({ values }) => values.every((value) => value === null));
  const [isTable, setTable] = useState(false);
  return markup`<section class="chart panel">
    <header><h3>${title}</h3>
      <ul class="legend">${
    series.map(({ label, color, values }) =>
      markup`<li key=${label}><span class=${`swatch ${color}`}></span>${label} <span class="faint">${
        lastOf(values, format)
      }</span></li>`
    )
  }</ul>
      <button type="button" class="link" aria-pressed=${isTable} onClick=${() => setTable(!isTable)}>${
    isTable ? "chart" : "figures"
  }<span class="hidden"> of ${title}</span></button>
    </header>
    ${
    isEmpty
      ? markup`<p class="plot faint nothing">Nothing was measured yet.</p>`
      : isTable
      ? markup`<${Figures} title=${title} times=${times} series=${series} format=${format} hrefOf=${hrefOf} />`
      : markup`<${Plot} title=${title} times=${times} series=${series} format=${format} least=${least} hrefOf=${hrefOf} />`
  }
  </section>`;
}

/** @param {readonly (number | null)[]} values @param {(value: number) => string} format */
function lastOf(values, format) {
  const last = values.findLast((value) => value !== null);
  return last === undefined || last === null ? "" : format(last);
}

/** @param {ChartProps} props */
function Plot({ title, times, series, format, least, hrefOf }) {
  const place = useRef(/** @type {HTMLDivElement | null} */ (null));
  const plot = useRef(/** @type {import("uplot") | null} */ (null));
  const [theme, setTheme] = useState(0);
  useEffect(() => onThemeChange(() => setTheme((before) => before + 1)), []);
  const data = /** @type {any} */ ([times.map((time) => time / 1000), ...series.map(({ values }) => values)]);
  useLayoutEffect(() => {
    const element = place.current;
    if (element === null) return;
    const made = new uPlot(optionsOf({ element, series, format, least, hrefOf }), data, element);
    plot.current = made;
    const watching = new ResizeObserver(() => {
      if (element.clientWidth !== made.width) made.setSize({ width: element.clientWidth, height: HEIGHT });
    });
    watching.observe(element);
    return () => {
      watching.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [theme, title]);
  useEffect(() => plot.current?.setData(data), [times, ...series.map(({ values }) => values)]);
  return markup`<div class="plot" role="img" aria-label=${summaryOf(title, series, format)} ref=${place}></div>`;
}

/** @param {{ element: HTMLElement, series: readonly Series[], format: (value: number) => string, least: number, hrefOf: ((time: number) => string) | undefined }} options */
function optionsOf({ element, series, format, least, hrefOf }) {
  const axis = {
    stroke: colorOf(element, "faint"),
    grid: { stroke: colorOf(element, "grid"), width: 1 },
    ticks: { show: false },
    font: "11px system-ui, sans-serif",
  };
  return /** @type {import("uplot").Options} */ ({
    width: element.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    padding: [8, 20, 0, 0],
    cursor: { drag: { setScale: false }, y: false, points: { size: 6 } },
    scales: {
      y: {
        range: (
          /** @type {unknown} */ _,
          /** @type {number} */ __,
          /** @type {number} */ max,
        ) => [0, Math.max(max * 1.1, least)],
      },
    },
    axes: [
      { ...axis, size: 24, space: 60, values: (_, splits) => splits.map((at) => minuteOfDay(at * 1000)) },
      { ...axis, size: 52, space: 32, values: (_, splits) => splits.map((value) => format(value)) },
    ],
    series: [{}, ...series.map((each) => lineOf(element, each))],
    hooks: {
      setCursor: [(chart) => tip(chart, element, { series, format })],
      ready: [(chart) => {
        if (hrefOf === undefined) return;
        chart.over.addEventListener("click", () => {
          const time = chart.cursor.idx === null || chart.cursor.idx === undefined
            ? undefined
            : chart.data[0][chart.cursor.idx];
          if (time !== undefined) location.hash = hrefOf(time * 1000);
        });
      }],
    },
  });
}

/** @param {HTMLElement} element @param {Series} series */
function lineOf(element, { label, color, bars = false }) {
  const stroke = colorOf(element, color);
  return {
    label,
    stroke,
    width: bars ? 0 : 1.5,
    // A line of few values has gaps on both sides of each: without points it would not be seen.
    points: {
      show: (/** @type {import("uplot")} */ chart, /** @type {number} */ index) =>
        (chart.data[index] ?? []).filter((value) => value !== null).length < 12,
      size: 5,
    },
    ...(bars ? { fill: stroke, paths: uPlot.paths.bars?.({ size: [0.8, 12] }) } : {}),
  };
}

/** Shows the figures of the step below the pointer. @param {import("uplot")} chart @param {HTMLElement} element @param {{ series: readonly Series[], format: (value: number) => string }} of */
function tip(chart, element, { series, format }) {
  const index = chart.cursor.idx;
  const time = index === null || index === undefined ? undefined : chart.data[0][index];
  element.dataset.tip = time === undefined || index === null || index === undefined ? "" : [
    minuteOfDay(time * 1000),
    ...series.map(({ label }, at) => {
      const value = chart.data[at + 1]?.[index];
      return `${label} ${value === null || value === undefined ? "–" : format(value)}`;
    }),
  ].join(" · ");
}

/** The colour of a class, as a canvas wants it. @param {HTMLElement} element @param {string} name */
function colorOf(element, name) {
  const probe = document.createElement("span");
  probe.className = `ink ${name}`;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

/** @param {() => void} changed */
function onThemeChange(changed) {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const watching = new MutationObserver(changed);
  system.addEventListener("change", changed);
  watching.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  return () => {
    system.removeEventListener("change", changed);
    watching.disconnect();
  };
}

/** @param {string} title @param {readonly Series[]} series @param {(value: number) => string} format */
function summaryOf(title, series, format) {
  const parts = series.map(({ label, values }) => {
    const known = values.filter((value) => value !== null);
    return known.length === 0
      ? `${label}: nothing`
      : `${label}: last ${lastOf(values, format)}, most ${format(known.reduce((a, b) => a > b ? a : b))}`;
  });
  return `${title}. ${parts.join("; ")}`;
}

/** @param {ChartProps} props */
function Figures({ title, times, series, format, hrefOf }) {
  const steps = times.map((time, index) => ({ time, index }))
    .filter(({ index }) => series.some(({ values }) => values[index] !== null)).reverse();
  return markup`
    <div class="figures" tabindex="0" role="region" aria-label=${`Figures of ${title}`}>
      <table>
        <thead>
          <tr><th scope="col">Until</th>${
    series.map(({ label }) => markup`<th scope="col" class="end">${label}</th>`)
  }</tr>
        </thead>
        <tbody>${
    steps.map(({ time, index }) =>
      markup`<tr key=${time}><th scope="row">${
        hrefOf === undefined ? minuteOfDay(time) : markup`<a href=${hrefOf(time)}>${minuteOfDay(time)}</a>`
      }</th>${
        series.map(({ values }) => {
          const value = values[index];
          return markup`<td class="end">${value === null || value === undefined ? "–" : format(value)}</td>`;
        })
      }</tr>`
    )
  }</tbody>
      </table>
    </div>
  `;
}
