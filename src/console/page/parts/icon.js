// @ts-check
import { markup } from "../ui.js";

/** Strokes in a field of 16 by 16. */
const PATHS = {
  check: "M3.5 8.5l3 3 6-7",
  cross: "M4 4l8 8M12 4l-8 8",
  clock: "M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 0 0 0-11zM8 5v3.2l2 1.5",
  retry: "M13 8a5 5 0 1 1-1.6-3.7M13 2.5v2.5h-2.5",
  minus: "M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 0 0 0-11zM5.5 8h5",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  play: "M5 3.5l7 4.5-7 4.5z",
  alert: "M8 2.5l6 10.5H2zM8 6.5v3M8 11.2v.3",
  info: "M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 0 0 0-11zM8 7.5v3.3M8 5.2v.3",
  search: "M7 3a4 4 0 1 0 0 8a4 4 0 0 0 0-8zM10 10l3.5 3.5",
  sun:
    "M8 5.5a2.5 2.5 0 1 0 0 5a2.5 2.5 0 0 0 0-5zM8 1.5v1.5M8 13v1.5M1.5 8h1.5M13 8h1.5M3.4 3.4l1 1M11.6 11.6l1 1M3.4 12.6l1-1M11.6 4.4l1-1",
  moon: "M12.8 9.8A5.5 5.5 0 0 1 6.2 3.2a5.5 5.5 0 1 0 6.6 6.6z",
  contrast: "M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 0 0 0-11zM8 2.5v11",
  menu: "M2.5 4.5h11M2.5 8h11M2.5 11.5h11",
  right: "M6 3.5l4.5 4.5L6 12.5",
  plus: "M8 3.5v9M3.5 8h9",
  pencil: "M3 13l.7-3L10.5 3.2l2.3 2.3L6 12.3z",
  trash: "M3 4.5h10M6.5 4.5V3h3v1.5M4.5 4.5l.5 8.5h6l.5-8.5",
  server: "M2.5 3.5h11v4h-11zM2.5 8.5h11v4h-11zM5 5.5h.3M5 10.5h.3",
  address: "M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 0 0 0-11zM2.5 8h11M8 2.5c-4 3.5-4 7.5 0 11c4-3.5 4-7.5 0-11",
  overview: "M2.5 9.5a5.5 5.5 0 0 1 11 0M8 9.5l2.5-3M2.5 12.5h11",
  events: "M5.5 4h8M5.5 8h8M5.5 12h8M2.5 4h.3M2.5 8h.3M2.5 12h.3",
  letters: "M2.5 4h11v8.5h-11zM2.5 4.5L8 9l5.5-4.5",
  plugin: "M6 2.5v3M10 2.5v3M4 5.5h8v2.5a4 4 0 0 1-8 0zM8 12v2",
  drift: "M3 5.5h8l-2-2M13 10.5H5l2 2",
  cluster: "M6 2.5h4v3H6zM2.5 10.5h4v3h-4zM9.5 10.5h4v3h-4zM8 5.5v2.5M4.5 10.5V8h7v2.5",
  try: "M6.5 2.5h3M7 2.5v4L3.5 13h9L9 6.5v-4",
  log: "M4 2.5h6l2.5 2.5v8.5H4zM6 7.5h4M6 10.5h4",
  copy: "M5.5 5.5h8v8h-8zM3 10.5h-.5v-8h8v.5",
  keys: "M2 4.5h12v7H2zM4.5 7h.3M7 7h.3M9.5 7h.3M12 7h-.3M5 9.5h6",
  leave: "M9.5 3h-6v10h6M7 8h7M11.5 5.5L14 8l-2.5 2.5",
};

/** @typedef {keyof typeof PATHS} IconName */

/** A picture beside words, which say the same. @param {{ name: IconName }} props */
export const Icon = ({ name }) =>
  markup`
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d=${PATHS[name]} />
    </svg>
  `;
