// @ts-check
import { markup, useEffect, useId, useRef } from "../ui.js";

/**
 * A dialog over the page. The browser keeps the focus in it, closes it with Escape, and gives the
 * focus back.
 *
 * @param {{ title: string, onClose: () => void, children?: unknown }} props
 */
export function Dialog({ title, onClose, children }) {
  const ref = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const id = useId();
  useEffect(() => {
    const before = document.activeElement;
    ref.current?.showModal();
    return () => before instanceof HTMLElement && before.isConnected && before.focus();
  }, []);
  return markup`
    <dialog ref=${ref} aria-labelledby=${id} onClose=${onClose} onClick=${(/** @type {MouseEvent} */ event) =>
    event.target === ref.current && ref.current?.close()}>
      <div class="dialog">
          <h2 id=${id}>${title}</h2>
          ${children}
        </div>
    </dialog>
  `;
}
