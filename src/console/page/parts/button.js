// @ts-check
import { isOperator } from "../session.js";
import { markup } from "../ui.js";

/** Why viewers' buttons do nothing. */
const VIEWERS_REASON = "Needs the role operator: you are signed in as a viewer";

/**
 * A button that changes something: viewers see it, and why they cannot use it.
 *
 * @param {{ onClick: () => void, kind?: "plain" | "primary" | "danger", disabled?: boolean, label?: string, children?: unknown }} props
 */
export function ActionButton({ onClick, kind = "plain", disabled = false, label = undefined, children }) {
  const isForbidden = !isOperator.value;
  return markup`
    <button type="button" class=${kind} disabled=${disabled || isForbidden} aria-label=${label}
      title=${isForbidden ? VIEWERS_REASON : undefined} onClick=${onClick}>${children}</button>
  `;
}

/** Above actions, for viewers only. */
export function ViewersNote() {
  if (isOperator.value) return null;
  return markup`<p class="faint viewers">You see everything and change nothing here: actions need the role <em>operator</em>.</p>`;
}
