import type { WorkerRouteId } from "../api/routes.ts";
import { listEvents, listStates } from "./events.ts";
import { readStreamTick } from "./stream_tick.ts";
import { readTargetFacts } from "./target_facts.ts";
import type { WorkerHandler } from "./worker_context.ts";

/** What the service's thread asks for its own answers, beside the routes. */
export type InternalId = "readTargetFacts" | "readStreamTick";

/** Who answers which route. */
export const HANDLERS: Partial<Readonly<Record<WorkerRouteId | InternalId, WorkerHandler>>> = {
  listEvents,
  listStates,
  readTargetFacts,
  readStreamTick,
};
