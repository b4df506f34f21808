import { escapeHtml } from "../../wire/escaping/escape_html.ts";
import { LINK_SECONDS } from "./links.ts";

/** For people without a session. `problem` says why there is none. */
export function signInPage(problem: string | null): string {
  return page(`<main class="lonely">
<h1>oss-watcher</h1>
${problem === null ? "" : `<p class="problem" role="alert">Cannot sign in: ${escapeHtml(problem)}.</p>`}
<p>Run this on the machine of the service, as root or as the service's user:</p>
<pre><code>oss-watcher console</code></pre>
<p>It prints a link that signs in once, within ${LINK_SECONDS} seconds.</p>
</main>`);
}

/**
 * Leads to the console. The browser sends the new cookie, which is for our own pages' requests alone,
 * since this page of ours asks for the next.
 */
export function welcomePage(): string {
  return page(
    `<main class="lonely"><h1>oss-watcher</h1><p><a href="./">Open the console</a></p></main>`,
    `<meta http-equiv="refresh" content="0;url=./">`,
  );
}

function page(body: string, head = ""): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>oss-watcher</title>
<link rel="stylesheet" href="./styles/base.css">
<link rel="stylesheet" href="./styles/parts.css">
${head}</head>
<body>
${body}
</body>
</html>
`;
}
