import { type Caller } from "./caller.ts";
import type { Session } from "./keystone.ts";
import { hasNoProject, permissionOf, remedyOf, type RequestKind } from "./rights.ts";
import type { ServiceName } from "./services.ts";
import { untilAborted } from "./until_aborted.ts";

/** One kind of question, and whether our account may ask it. */
export interface Ability {
  readonly service: ServiceName;
  /** As `list the servers of all projects`. */
  readonly what: string;
  readonly allowed: boolean;
  /** What is not to be had without it. */
  readonly lost: string;
  /** What would mend it, as the end of a sentence, or several. */
  readonly remedy: string;
}

/** The id of nobody: whoever may ask hears that there is none. */
const NOBODY = "00000000000040008000000000000000";
const NOTHING = "00000000-0000-4000-8000-000000000000";

const QUESTIONS: readonly { readonly kind: RequestKind; readonly service: ServiceName; readonly path: string }[] = [
  { kind: "servers", service: "Nova", path: "/servers/detail?limit=1&all_tenants=1" },
  { kind: "server", service: "Nova", path: `/servers/${NOTHING}` },
  { kind: "ports", service: "Neutron", path: "/ports?limit=1&fields=id" },
  { kind: "floatingIps", service: "Neutron", path: "/floatingips?limit=1&fields=id" },
  { kind: "image", service: "Glance", path: `/images/${NOTHING}` },
  { kind: "project", service: "Keystone", path: `/projects/${NOBODY}` },
  { kind: "user", service: "Keystone", path: `/users/${NOBODY}` },
];

/** Asks one question of each kind, about nothing and nobody. */
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

/** What there is not is answered by 404 even where what there is would be refused, and a list that is empty is none. */
function isHidden(
  kind: RequestKind,
  { isRefused, session }: { readonly isRefused: boolean; readonly session: Session },
): boolean {
  return isRefused && hasNoProject(kind, session);
}
