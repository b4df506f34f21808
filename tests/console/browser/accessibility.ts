import assert from "node:assert/strict";
import axe from "axe-core";
import type { WatchedPage } from "./browser.ts";

/** WCAG 2.2 AA, and what axe holds for good practice. */
const RUN = `axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => violations.map((each) => ({
  rule: each.id, nodes: each.nodes.slice(0, 3).map((node) => node.html.slice(0, 200) + " " + node.failureSummary) })))`;

/**
 * Asserts that axe finds nothing to complain about. The debugger's protocol runs it: the page's own
 * policy lets no foreign script in.
 */
export async function assertAccessible(page: WatchedPage, where: string): Promise<void> {
  const violations = await page.page.evaluate(`${axe.source};${RUN}`);
  assert.deepEqual(violations, [], where);
}
