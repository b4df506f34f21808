import type * as api from "../api.ts";
import type { TargetOutage } from "../../model/outage.ts";
import type { ProcessList, ProcessState } from "../../model/processes.ts";
import { BOOL, listOf, mapOf, NUMBER, objectOf, oneOf, orNull, type Schema, TEXT, TIME, WHOLE } from "./api_schema.ts";
import { pluginOverview, REASON, ref, ROLE } from "./schema_parts.ts";

/** Who is signed in, the overview and the charts. */
export const OVERVIEW_SCHEMAS = {
  SessionAnswer: objectOf<api.SessionAnswer>({
    user: TEXT,
    role: ROLE,
    csrf: TEXT,
    expiresAt: orNull(TIME),
    version: TEXT,
    startedAt: TIME,
    has: objectOf<api.SessionAnswer["has"]>({ openstack: BOOL, cluster: BOOL }),
  }),
  SignedOutAnswer: objectOf<{ signedOut: boolean }>({ signedOut: BOOL }),
  Problem: objectOf<api.Problem>({
    level: oneOf(["error", "warning"]),
    text: TEXT,
    remedy: TEXT,
    link: orNull(TEXT),
  }),
  TargetOutage: objectOf<TargetOutage>({ since: TIME, nextProbeAt: TIME, reason: REASON, error: TEXT }),
  PluginOverview: objectOf<api.PluginOverview>(pluginOverview()),
  OverviewAnswer: objectOf<api.OverviewAnswer>({
    now: TIME,
    version: TEXT,
    startedAt: TIME,
    problems: listOf(ref("Problem")),
    sources: listOf(objectOf<api.OverviewAnswer["sources"][number]>({
      broker: TEXT,
      queue: TEXT,
      connected: BOOL,
      consuming: BOOL,
    })),
    lastMessageAt: orNull(TIME),
    messages: objectOf<api.OverviewAnswer["messages"]>({
      received: WHOLE,
      ignored: WHOLE,
      rejected: WHOLE,
      recorded: WHOLE,
    }),
    ledger: objectOf<api.OverviewAnswer["ledger"]>({ kind: oneOf(["sqlite", "postgres"]), writable: BOOL }),
    openstack: orNull(objectOf<NonNullable<api.OverviewAnswer["openstack"]>>({
      lastComparison: orNull(
        objectOf<NonNullable<NonNullable<api.OverviewAnswer["openstack"]>["lastComparison"]>>({
          endedAt: TIME,
          outcome: TEXT,
          problem: orNull(TEXT),
          drift: mapOf(WHOLE),
          undecided: WHOLE,
        }),
      ),
      agreedAt: orNull(TIME),
      deciding: BOOL,
    })),
    plugins: listOf(ref("PluginOverview")),
    process: objectOf<api.OverviewAnswer["process"]>({ residentBytes: NUMBER, cpuSeconds: NUMBER }),
  }),
  HistoryAnswer: objectOf<api.HistoryAnswer>({
    range: oneOf(["hour", "day"]),
    stepSeconds: WHOLE,
    times: listOf(TIME),
    events: listOf(orNull(NUMBER)),
    deliveries: listOf(orNull(NUMBER)),
    failures: listOf(orNull(NUMBER)),
    p50Seconds: listOf(orNull(NUMBER)),
    p99Seconds: listOf(orNull(NUMBER)),
    waiting: listOf(orNull(NUMBER)),
  }),
  ClusterAnswer: objectOf<api.ClusterAnswer>({
    processes: orNull(objectOf<ProcessList>({
      processes: listOf(objectOf<ProcessState>({
        name: TEXT,
        version: TEXT,
        state: oneOf(["running", "stopped", "silent"]),
        startedMsAgo: NUMBER,
        seenMsAgo: NUMBER,
        plugins: listOf(TEXT),
        leases: listOf(objectOf<ProcessState["leases"][number]>({ name: TEXT, heldMs: NUMBER })),
      })),
      free: listOf(TEXT),
      differences: listOf(TEXT),
    })),
  }),
} as const satisfies Readonly<Record<string, Schema>>;
