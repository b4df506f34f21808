import { type Caller } from "./caller.ts";
import { type Kind, lackOf } from "./rights.ts";
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
  /** The role that would mend it. */
  readonly role: string;
}

/** The id of nobody: whoever may ask hears that there is none. */
const NOBODY = "00000000000040008000000000000000";
const NOTHING = "00000000-0000-4000-8000-000000000000";

const QUESTIONS: readonly { readonly kind: Kind; readonly service: ServiceName; readonly path: string }[] = [
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
  for (const { kind, service, path } of QUESTIONS) {
    const { answer } = await untilAborted(caller.ask({ service, path }), signal);
    found.push({ service, allowed: answer.status !== 403, ...lackOf(kind) });
  }
  return found;
}
