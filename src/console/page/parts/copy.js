// @ts-check
import { announcement } from "../session.js";
import { markup, useState } from "../ui.js";
import { Icon } from "./icon.js";

/** Copies an id. @param {{ value: string, what: string }} props */
export function Copy({ value, what }) {
  const [isDone, setDone] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(value);
    setDone(true);
    announcement.value = `The ${what} is copied`;
    setTimeout(() => setDone(false), 1500);
  };
  return markup`
    <button type="button" class="icon-button" title=${`Copy the ${what}`} aria-label=${
    isDone ? "Copied" : `Copy the ${what}`
  }
      onClick=${copy}><${Icon} name=${isDone ? "check" : "copy"} /></button>
  `;
}
