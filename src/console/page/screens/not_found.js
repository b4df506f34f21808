// @ts-check
import { Empty } from "../parts/feedback.js";
import { Heading } from "../parts/heading.js";
import { markup } from "../ui.js";

export const NotFound = () =>
  markup`
    <${Heading} title="Not found" />
    <${Empty} title="There is no screen of this address.">
      <p><a href="#/">Go to the overview</a>, or search above.</p>
      <//>
  `;
