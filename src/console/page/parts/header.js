// @ts-check
import { remove, textOf } from "../api.js";
import { go, href, route } from "../router.js";
import { announcement, connection, session, signedOut } from "../session.js";
import { markup, signal, useEffect, useRef } from "../ui.js";
import { Icon } from "./icon.js";
import { areKeysShown } from "./keys.js";
import { isMenuOpen } from "./navigation.js";
import { Label } from "./text.js";

/** @import { IconName } from "./icon.js" */

export function Header() {
  return markup`
    <header class="top">
      <button type="button" class="icon-button menu-button" aria-label="Menu" aria-expanded=${isMenuOpen.value} aria-controls="menu"
        onClick=${() => isMenuOpen.value = !isMenuOpen.value}><${Icon} name=${
    isMenuOpen.value ? "cross" : "menu"
  } /></button>
      <a class="brand" href="#/"><img src="icon.svg" alt="" width="22" height="22" /><span>oss-watcher</span></a>
      <${Search} />
      <${Connection} />
      <${Theme} />
      <button type="button" class="icon-button keys-button" aria-label="Keys" title="Keys (?)"
        onClick=${() => areKeysShown.value = true}><${Icon} name="keys" /></button>
      <${User} />
    </header>
  `;
}

/** Finds events by a name, an address, an id, a key or a project. */
function Search() {
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  const { screen, params } = route.value;
  const text = screen === "events" ? params.text ?? "" : "";
  useEffect(() => {
    if (input.current !== null) input.current.value = text;
  }, [text]);
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    const wanted = input.current?.value.trim() ?? "";
    go(href("events", { ...(screen === "events" ? params : {}), text: wanted }));
  };
  return markup`
    <form role="search" class="search" onSubmit=${submit}>
      <label for="search" class="hidden">Search events</label>
      <${Icon} name="search" />
      <input id="search" ref=${input} type="search" maxlength="300" autocomplete="off" spellcheck=${false}
        enterkeyhint="search"
        placeholder="Name, address, UUID, key or project" aria-keyshortcuts="/" />
    </form>
  `;
}

function Connection() {
  const state = connection.value;
  const [tone, icon, word, title] = /** @type {[string, IconName, string, string]} */ (
    state === "live"
      ? ["ok", "check", "Connected", "What you see is renewed every two seconds"]
      : state === "lost"
      ? ["bad", "alert", "Connection lost, trying again", "What you see may be old"]
      : state === "refused"
      ? ["warn", "alert", "Not renewed", "What you see may be old"]
      : ["off", "clock", "Connecting", "The first answer is on its way"]
  );
  return markup`<span class=${`connection ${tone}`} title=${title}><${Icon} name=${icon} /><span>${word}</span></span>`;
}

const THEMES = /** @type {const} */ (["system", "light", "dark"]);
const theme = signal(/** @type {string} */ (document.documentElement.dataset.theme ?? "system"));

function Theme() {
  const next = THEMES[(THEMES.findIndex((name) => name === theme.value) + 1) % THEMES.length] ?? "system";
  const change = () => {
    theme.value = next;
    if (next === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    try {
      localStorage.setItem("theme", next);
    } catch {
      // Not kept: storage is forbidden.
    }
  };
  const icon = theme.value === "light" ? "sun" : theme.value === "dark" ? "moon" : "contrast";
  return markup`
    <button type="button" class="icon-button theme-button" title=${`Colours: ${theme.value}`} aria-label=${`Colours: ${theme.value}. Change to ${next}`}
      onClick=${change}><${Icon} name=${icon} /></button>
  `;
}

/** Who is signed in. Behind a proxy that signs in, nobody signs out here. */
function User() {
  const { user, role, expiresAt } = session.value ?? { user: "", role: "viewer", expiresAt: null };
  const leave = async () => {
    try {
      await remove("session");
      signedOut.value = "You have signed out";
    } catch (error) {
      announcement.value = textOf(error);
    }
  };
  return markup`<span class="user"><${Label} value=${user} /> <span class="role">${role}</span></span>${
    expiresAt !== null &&
    markup`<button type="button" class="icon-button leave-button" aria-label="Sign out" title="Sign out" onClick=${leave}><${Icon} name="leave" /></button>`
  }`;
}
