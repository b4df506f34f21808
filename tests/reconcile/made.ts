import type { CloudScope, ComparisonReport, PastComparisons } from "../../src/model/comparison.ts";
import type { SeenFloatingIp, SeenPage, SeenPort, SeenServer } from "../../src/reconcile/cloud_view.ts";
import { unknownServer } from "../../src/model/snapshot.ts";
import { ADDRESS, MAC } from "../support/stories.ts";

/** An administrator's account in the project `own`. */
export const ADMIN: CloudScope = { projectId: "own", isAdmin: true, fields: { region: "RegionOne", roles: "admin" } };
/** An account without that role. */
export const MEMBER: CloudScope = {
  projectId: "own",
  isAdmin: false,
  fields: { region: "RegionOne", roles: "member" },
};

export function seenServer(id: string, more: Partial<SeenServer> = {}): SeenServer {
  const projectId = more.projectId ?? "other";
  const state = { ...unknownServer(id), projectId, createdAt: "2026-11-21T10:00:00.000Z" };
  return { id, projectId, state, status: "ACTIVE", launchedAt: "2026-11-21T10:00:30.000Z", ...more };
}

export function seenPort(id: string, state: Partial<SeenPort["state"]> = {}, projectId = "other"): SeenPort {
  const fixed = { mac: MAC, fixedAddresses: ["10.0.0.5"], dnsName: null, dnsHostname: null };
  return { id, projectId, state: { id, serverId: null, ...fixed, revision: 1, updatedAt: null, ...state } };
}

export function seenFloatingIp(
  id: string,
  state: Partial<SeenFloatingIp["state"]> = {},
  projectId = "other",
): SeenFloatingIp {
  const free = { address: ADDRESS, portId: null, fixedAddress: null, port: null };
  return { id, projectId, state: { id, projectId, ...free, revision: 1, updatedAt: null, ...state } };
}

export function serversPage(records: readonly SeenServer[], allProjects: boolean | null = true): SeenPage {
  return { listing: "servers", records, allProjects };
}

export function portsPage(records: readonly SeenPort[]): SeenPage {
  return { listing: "ports", records, allProjects: null };
}

export function floatingIpsPage(records: readonly SeenFloatingIp[]): SeenPage {
  return { listing: "floatingIps", records, allProjects: null };
}

/** No comparison was made yet. */
export const NO_COMPARISONS: PastComparisons = {
  beganAt: Date.UTC(2026, 10, 21),
  restoredAt: null,
  last: null,
  lastComplete: null,
  lastFull: null,
  lastRestoreAt: null,
  lastTried: null,
  reference: null,
  agreedAt: null,
};

export function report(startedAt: number, more: Partial<ComparisonReport> = {}): ComparisonReport {
  return {
    startedAt,
    endedAt: startedAt,
    why: "",
    isFull: true,
    isByHand: false,
    isPartial: false,
    outcome: "agreed",
    problem: null,
    scope: ADMIN,
    found: { floatingIps: 0, ports: 0, servers: 0 },
    drift: { untold: 0, gone: 0, moved: 0, changed: 0 },
    corrected: 0,
    undecided: 0,
    differences: [],
    ...more,
  };
}
