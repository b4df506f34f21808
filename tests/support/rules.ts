import type { Rules } from "../../src/facts/decision_context.ts";

/** Both groups list everything. */
export const EVERYTHING: Rules = {
  creation: new Set(["server", "floatingip"]),
  deletion: new Set(["server", "floatingip"]),
  anyPort: false,
  oldestCreation: null,
};
