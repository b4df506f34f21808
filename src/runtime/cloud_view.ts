import type { CloudView, Reading, SeenPage } from "../reconcile/cloud_view.ts";
import type { CloudScope as Scope } from "../model/comparison.ts";
import type { OpenStackApi } from "../openstack/api.ts";
import type { CloudScope } from "../openstack/scope.ts";
import type { CloudReader, Found, FoundPage, OneAnswer } from "./cloud_reader.ts";

/** What a comparison reads of OpenStack, from the clients of its APIs. */
export function cloudView(reader: CloudReader, api: Pick<OpenStackApi, "scope">): CloudView {
  return {
    scope: async (signal) => scopeOf(await api.scope(signal)),
    async *read(listing, options) {
      for await (const page of reader.read(listing, { after: null, isPlain: true, ...options })) yield seenPage(page);
    },
    server: async (id, signal) => {
      const reading = (found: Found<ServerState>) => ({ id, ...found.facts, state: found.state });
      return read(await reader.readServer(id, signal), reading);
    },
    port: async (id, signal) => read(await reader.readPort(id, signal), (found) => ({ id, ...seen(found) })),
    floatingIp: async (id, signal) => {
      return read(await reader.readFloatingIp(id, signal), (found) => ({ id, ...seen(found) }));
    },
  };
}

type ServerState = Extract<SeenPage, { readonly listing: "servers" }>["records"][number]["state"];

function read<T, Seen>(answer: OneAnswer<T>, seen: (found: Found<T>) => Seen): Reading<Seen> {
  return typeof answer === "string" ? answer : seen(answer);
}

function seen<T>({ state, facts: { projectId } }: Found<T>): { readonly state: T; readonly projectId: string | null } {
  return { state, projectId };
}

function seenPage({ found, facts, allProjects }: FoundPage): SeenPage {
  if (found.listing === "servers") {
    const records = found.records.map((state) => {
      const id = state.id as string;
      const { projectId = null, status = null, launchedAt = null } = facts.get(id) ?? {};
      return { id, state, projectId, status, launchedAt };
    });
    return { listing: "servers", allProjects, records };
  }
  const projectOf = (id: string) => facts.get(id)?.projectId ?? null;
  if (found.listing === "ports") {
    const records = found.records.map((state) => ({ id: state.id, state, projectId: projectOf(state.id) }));
    return { listing: "ports", allProjects, records };
  }
  const records = found.records.map((state) => ({ id: state.id, state, projectId: projectOf(state.id) }));
  return { listing: "floatingIps", allProjects, records };
}

/** The scope with its fields under the names that operators know. */
export function scopeOf({ roles, projectId, isSystem, ...scope }: CloudScope): Scope {
  const fields = { ...scope, projectId, isSystem: isSystem ? "yes" : null, roles: roles.join(", ") };
  return {
    projectId,
    isAdmin: roles.includes("admin"),
    fields: Object.fromEntries(
      Object.entries(fields).flatMap(([name, value]) => value === null ? [] : [[NAMES[name] ?? name, value]]),
    ),
  };
}

/** Names of the fields, for operators. */
const NAMES: Readonly<Record<string, string>> = {
  keystoneUrl: "Keystone",
  novaUrl: "Nova",
  neutronUrl: "Neutron",
  userId: "user",
  projectId: "project",
  domainId: "domain",
  isSystem: "system scope",
};
