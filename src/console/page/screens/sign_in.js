// @ts-check
import { session, signedOut } from "../session.js";
import { markup, useEffect } from "../ui.js";

/** Shown when a session has ended, or never began. @param {{ reason: string }} props */
export function SignIn({ reason }) {
  // Another tab may have signed in meanwhile.
  const again = () => {
    session.value = null;
    signedOut.value = null;
  };
  useEffect(() => {
    const seen = () => document.hidden || again();
    document.addEventListener("visibilitychange", seen);
    return () => document.removeEventListener("visibilitychange", seen);
  }, []);
  return markup`
    <main class="lonely">
      <img src="icon.svg" alt="" width="40" height="40" />
      <h1>Sign in</h1>
      <p class="text lines">${reason}.</p>
      <p>On the service's machine, as its user, run</p>
      <pre><code>oss-watcher console</code></pre>
      <p>and open the link that it prints. The link works once, within a minute.</p>
      <div class="buttons"><button type="button" class="primary" onClick=${again}>Try again</button></div>
    </main>
  `;
}
