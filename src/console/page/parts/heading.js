// @ts-check
import { markup } from "../ui.js";

/** The first line of a screen. It gets the focus when the screen is opened. @param {{ title: unknown, children?: unknown }} props */
export const Heading = ({ title, children = null }) =>
  markup`
    <div class="heading">
      <h1 tabindex="-1">${title}</h1>
      <div class="heading-actions">${children}</div>
    </div>
  `;
