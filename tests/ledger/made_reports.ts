/**
 * Reports of comparisons, for the tests of those who store them.
 *
 * @module
 */

import type { CloudScope, ComparisonReport, Difference } from "../../src/model/comparison.ts";
import { report as madeReport } from "../reconcile/made.ts";

export const SCOPE: CloudScope = { projectId: "p", isAdmin: true, fields: { region: "RegionOne" } };
export const DIFFERENCE: Difference = {
  change: "gone",
  subject: "server",
  id: "s",
  name: null,
  address: null,
  keys: ["server/s/deletion"],
  evidence: [],
};

/** A report of a comparison that began at this time. */
export function report(startedAt: number, changes: Partial<ComparisonReport> = {}): ComparisonReport {
  return madeReport(startedAt, {
    endedAt: startedAt + 1,
    isFull: false,
    scope: SCOPE,
    drift: { untold: 0, gone: 1, moved: 0, changed: 0 },
    differences: [DIFFERENCE],
    ...changes,
  });
}
