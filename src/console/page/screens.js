// @ts-check
// All screens, by what the address says.
import { AuditLog } from "./screens/audit_log.js";
import { Cluster } from "./screens/cluster.js";
import { DeadLetters } from "./screens/dead_letters.js";
import { Drift } from "./screens/drift.js";
import { Event } from "./screens/event.js";
import { Events } from "./screens/events.js";
import { Overview } from "./screens/overview.js";
import { Plugins } from "./screens/plugins.js";
import { Server } from "./screens/server.js";
import { Try } from "./screens/try.js";

/** @import { Node } from "./ui.js" */
/** @typedef {(props: { name: string | null, params: Readonly<Record<string, string>> }) => Node} ScreenComponent */

/** @type {Readonly<Record<string, { title: string, component: ScreenComponent }>>} */
export const SCREENS = {
  "overview": { title: "Overview", component: Overview },
  "events": { title: "Events", component: Events },
  "event": { title: "Event", component: Event },
  "server": { title: "Server", component: Server },
  "dead-letters": { title: "Dead letters", component: DeadLetters },
  "plugins": { title: "Plugins", component: Plugins },
  "drift": { title: "Drift", component: Drift },
  "cluster": { title: "Cluster", component: Cluster },
  "try": { title: "Try", component: Try },
  "audit-log": { title: "Audit log", component: AuditLog },
};

/** @param {string} screen */
export const titleOf = (screen) => SCREENS[screen]?.title ?? "Not found";
