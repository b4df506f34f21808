// @ts-check
// Starts the page: reads who is signed in, follows the address and the stream.
import { errorOf, get, textOf } from "./api.js";
import { ActionDialog } from "./parts/action_dialog.js";
import { ErrorNote, Note } from "./parts/feedback.js";
import { Header } from "./parts/header.js";
import { KeysDialog, listenToKeys } from "./parts/keys.js";
import { Navigation } from "./parts/navigation.js";
import { Tray } from "./parts/tray.js";
import { followAddress, route } from "./router.js";
import { SCREENS, titleOf } from "./screens.js";
import {
  announcement,
  arrivals,
  connection,
  overview,
  reconnections,
  refusal,
  session,
  signedOut,
  takeOverview,
} from "./session.js";
import { SignIn } from "./screens/sign_in.js";
import { NotFound } from "./screens/not_found.js";
import { followStream } from "./stream.js";
import { effect, markup, render, useEffect, useState } from "./ui.js";

function App() {
  const [error, setError] = useState(/** @type {string | null} */ (null));
  const isOut = signedOut.value !== null;
  useEffect(() => {
    if (!isOut) begin().then(() => setError(null), (thrown) => setError(textOf(thrown)));
  }, [isOut]);
  if (isOut) return markup`<${SignIn} reason=${signedOut.value} />`;
  if (session.value === null) {
    return markup`
      <main class="lonely" aria-busy="true">
        <h1 class="hidden">oss-watcher</h1>
        <${ErrorNote} text=${error} retry=${() => location.reload()} />
      </main>
    `;
  }
  return markup`
    <a class="skip" href="#main" onClick=${skip}>Skip to the content</a>
    <${Header} />
    <div class="frame">
      <${Navigation} />
      <main id="main" tabindex="-1">
        ${
    connection.value === "refused" && markup`
      <${Note} tone="warn" role="alert">
        <p class="text lines">${refusal.value}. Until then this page does not renew itself.</p>
        <//>
    `
  }
        <${Screen} />
      </main>
    </div>
    <${Tray} />
    <${ActionDialog} />
    <${KeysDialog} />
    <div class="hidden" role="status" aria-live="polite">${announcement.value}</div>
  `;
}

/** What the address says. */
function Screen() {
  const { screen, name, params } = route.value;
  const Found = SCREENS[screen]?.component ?? NotFound;
  const identity = [screen, name, params.key, params.id].join(" ");
  return markup`<${Found} key=${identity} name=${name} params=${params} />`;
}

/** The address is the screen's: an anchor must not change it. @param {Event} event */
function skip(event) {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

async function begin() {
  session.value = await get("session");
}

/** Follows the stream while the page is seen: a browser has few connections, and many tabs. */
function stream() {
  /** @type {AbortController | null} */
  let following = null;
  const turn = () => {
    const isWanted = session.value !== null && signedOut.value === null && !document.hidden;
    if (isWanted === (following !== null)) return;
    following?.abort();
    following = isWanted ? new AbortController() : null;
    if (following !== null) followStream(STREAM, following.signal);
  };
  effect(() => {
    session.value;
    signedOut.value;
    turn();
  });
  document.addEventListener("visibilitychange", turn);
}

/** @type {import("./stream.js").StreamOptions} */
const STREAM = {
  url: "api/v1/stream",
  onMessage: (event, data) => {
    if (event === "overview") takeOverview(JSON.parse(data));
    if (event === "events") arrivals.value += 1;
  },
  onState: (state) => {
    if (state === "live" && connection.value !== "connecting" && connection.value !== "live") {
      announcement.value = "The connection is back";
      reconnections.value += 1;
      // The service that answers may be another version, and its tokens may be new.
      begin().catch(() => {});
    }
    if (state === "lost" && connection.value !== "lost") announcement.value = "The connection is lost, trying again";
    connection.value = state;
  },
  onRefused: async (response) => {
    const error = await errorOf(response);
    if (response.status === 401) signedOut.value = error;
    else refusal.value = error;
    return response.status !== 401;
  },
};

effect(() => {
  const problems = overview.value?.problems.length ?? 0;
  document.title = `${problems > 0 ? `(${problems}) ` : ""}${titleOf(route.value.screen)} – oss-watcher`;
});
followAddress(() => requestAnimationFrame(() => document.querySelector("h1")?.focus({ preventScroll: true })));
listenToKeys();
stream();
const place = document.getElementById("app");
if (place !== null) {
  place.replaceChildren();
  render(markup`<${App} />`, place);
}
