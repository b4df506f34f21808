import { type Caller } from "./caller.ts";
import type { Session } from "./keystone.ts";
import { hasNoProject, permissionOf, remedyOf, type RequestKind } from "./rights.ts";
import type { ServiceName } from "./services.ts";
import { untilAborted } from "./until_aborted.ts";

/** One kind of API request, and whether our account is allowed to make it. */
export interface Ability {
  readonly service: ServiceName;
  /** The request in words, as `list the servers of all projects`. */
  readonly what: string;
  readonly allowed: boolean;
  /** What oss-watcher cannot do without this permission. */
  readonly lost: string;
  /** How an administrator can grant it, as the end of a sentence, or several sentences. */
  readonly remedy: string;
}

/** Ids that do not exist: an account with permission gets 404, another one 403. */
const ABSENT_ID = "00000000000040008000000000000000";
const ABSENT_UUID = "00000000-0000-4000-8000-000000000000";

const QUESTIONS: readonly { readonly kind: RequestKind; readonly service: ServiceName; readonly path: string }[] = [
  { kind: "servers", service: "Nova", path: "/servers/detail?limit=1&all_tenants=1" },
  { kind: "server", service: "Nova", path: `/servers/${ABSENT_UUID}` },
  { kind: "ports", service: "Neutron", path: "/ports?limit=1&fields=id" },
  { kind: "floatingIps", service: "Neutron", path: "/floatingips?limit=1&fields=id" },
  { kind: "image", service: "Glance", path: `/images/${ABSENT_UUID}` },
  { kind: "project", service: "Keystone", path: `/projects/${ABSENT_ID}` },
  { kind: "user", service: "Keystone", path: `/users/${ABSENT_ID}` },
];

/** Makes one request of each kind, for ids that do not exist, and reports which are allowed. */
export async function abilities(caller: Caller, signal?: AbortSignal): Promise<readonly Ability[]> {
  const found: Ability[] = [];
  let isRefused = false;
  for (const { kind, service, path } of QUESTIONS) {
    const { answer, session } = await untilAborted(caller.ask({ service, path }), signal);
    isRefused ||= kind === "servers" && answer.status === 403;
    const allowed = answer.status !== 403 && !isHidden(kind, { isRefused, session });
    found.push({ service, allowed, ...permissionOf(kind), remedy: remedyOf(kind, session) });
  }
  return found;
}

/**
 * Whether an account of no project gets an empty list or 404 where a resource that exists would be
 * refused: then the answer does not prove a permission.
 */
function isHidden(
  kind: RequestKind,
  { isRefused, session }: { readonly isRefused: boolean; readonly session: Session },
): boolean {
  return isRefused && hasNoProject(kind, session);
}
