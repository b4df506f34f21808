import type { WorkerRouteId } from "../api/routes.ts";
import { Actions } from "./actions.ts";
import { listAuditLog, writeSignIn } from "./audit_log.ts";
import { Drift } from "./drift.ts";
import { getEvent, previewEvent } from "./event.ts";
import { listEvents, listStates } from "./events.ts";
import { checkPlugin, pausePlugin, resumePlugin, tryPlugin } from "./plugins.ts";
import { getServer } from "./server.ts";
import { withShortTexts } from "./short_texts.ts";
import { readStreamTick } from "./stream_tick.ts";
import { readTargetFacts } from "./target_facts.ts";
import { tryNotifications } from "./try.ts";
import type { WorkerHandler } from "./worker_context.ts";

/** What the service's thread asks for itself, beside the routes. */
export type InternalId = "readTargetFacts" | "readStreamTick" | "writeSignIn";

/** Who answers which route. */
export function makeHandlers(): Readonly<Record<WorkerRouteId | InternalId, WorkerHandler>> {
  const [actions, drift] = [new Actions(), new Drift()];
  return {
    listEvents,
    listStates,
    getEvent,
    previewEvent,
    getServer,
    listDeadLetters: (_, { withLedger }) =>
      withLedger(async ({ search }) => ({
        groups: withShortTexts(await search.deadGroups()),
      })),
    planAction: actions.plan,
    beginAction: actions.begin,
    getAction: actions.get,
    stopAction: actions.stop,
    checkPlugin,
    pausePlugin,
    resumePlugin,
    tryPlugin,
    getDrift: drift.get,
    beginComparison: drift.begin,
    stopComparison: drift.stop,
    getCluster: (_, { withLedger }) => withLedger(async (ledger) => ({ processes: await ledger.processes() })),
    tryNotifications,
    listAuditLog,
    readTargetFacts,
    readStreamTick,
    writeSignIn,
  };
}
