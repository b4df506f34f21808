// The real cloud watched several times, each time by another configuration of the service, and with other settings of Nova and Neutron.
import type { PrivateCloud } from "../../tools/openstack/cloud.ts";
import { progress } from "../../tools/packages.ts";
import { OPTIONAL_KEYS } from "../../src/model/detail.ts";
import type { Cast } from "./cast.ts";
import { takeCourse } from "./course.ts";
import { takeLongCourse } from "./long_course.ts";
import { takeLostCourse } from "./lost_course.ts";
import { Follower } from "./follower.ts";
import { changeUnderPriming } from "./new_ledger.ts";
import { FIRST_GENERATION, VERSIONED_ALONE } from "./notifying.ts";
import type { Comparison } from "./report.ts";
import { takeSoftCourse } from "./soft_course.ts";
import { accountOfTheSystem, checkSystemScope } from "./system_scope.ts";
import { takeUpdatesCourse } from "./updates_course.ts";
import { UpdatesStage } from "./updates_stage.ts";
import { Watch, type WatchOptions } from "./watch.ts";

export interface Stage {
  readonly cloud: PrivateCloud;
  readonly cast: Cast;
}

/** What came of one pass. */
export interface Outcome {
  readonly title: string;
  readonly steps: number;
  readonly events: number;
  readonly seconds: number;
  readonly comparisons: readonly Comparison[];
  readonly problems: readonly string[];
}

/** The core: what is said several times is one event; the service has a queue of its own, and its account from clouds.yaml. */
export async function watchEverything({ cloud, cast }: Stage): Promise<Outcome> {
  const routingKeys = ["notifications.info", "monitoring.info", "versioned_notifications.info"];
  return await watch({
    title: "both formats, both drivers, two topics",
    admin: await cloud.admin(),
    rabbit: cloud.rabbit,
    source: { queue: { name: "everything", routingKeys } },
    openstack: { cloud: "private" },
    files: cloudsYaml(cloud),
  }, (watch) => takeCourse(watch, cast));
}

/** More of what can happen to servers. */
export async function watchMore({ cloud, cast }: Stage): Promise<Outcome> {
  return await watch({
    title: "more of a server's life",
    admin: await cloud.admin(),
    rabbit: cloud.rabbit,
    source: { queue: { name: "more" } },
    openstack: accountOf(cloud),
  }, async (watch) => takeLongCourse(watch, { ...cast, admin: await cloud.admin(), cloud }));
}

/** The queue `monitoring.info` of an own topic, consumed as oss_framework did; an application credential. */
export async function watchFirstGeneration({ cloud, cast }: Stage): Promise<Outcome> {
  await cloud.renotify(FIRST_GENERATION);
  // What was published for nobody before.
  await cloud.rabbit.ctl("purge_queue", "monitoring.info");
  const admin = await cloud.admin();
  const { application_credential: credential } = await admin.keystone(
    "POST",
    `/users/${admin.userId}/application_credentials`,
    { application_credential: { name: "watcher", secret: crypto.randomUUID(), roles: [{ name: "admin" }] } },
  );
  const openstack = {
    // As it was in 2015.
    authUrl: cloud.authUrl.replace(/\/v3$/, "/v2.0"),
    region: cloud.region,
    applicationCredentialId: credential.id,
    applicationCredentialSecret: credential.secret,
  };
  return await watch({
    title: "first generation: one topic, no envelope",
    admin,
    rabbit: cloud.rabbit,
    source: { watchQueue: "monitoring.info" },
    openstack,
  }, (watch) => takeCourse(watch, cast));
}

/** Nova says everything in its newer format alone, and deletes softly; an account for the whole system, where Nova takes it. */
export async function watchVersionedAlone({ cloud, cast }: Stage): Promise<Outcome> {
  await cloud.renotify(VERSIONED_ALONE);
  const { isTaken, problems } = await checkSystemScope(cloud);
  const outcome = await watch({
    title: "versioned alone, soft deletion",
    admin: await cloud.admin(),
    rabbit: cloud.rabbit,
    source: { queue: { name: "versioned" } },
    openstack: isTaken ? accountOfTheSystem(cloud) : accountOf(cloud),
    created: "instance.create.end",
    deleted: "instance.delete.end",
  }, (watch) => takeSoftCourse(watch, cast));
  return { ...outcome, problems: [...problems, ...outcome.problems] };
}

/** Notifications are lost in every way. The service warns of that, and of what it has found. */
export async function watchLosses({ cloud, cast }: Stage): Promise<Outcome> {
  const admin = await cloud.admin();
  return await watch({
    title: "notifications are lost",
    admin,
    rabbit: cloud.rabbit,
    source: { queue: { name: "lost" } },
    openstack: { ...accountOf(cloud), region: cloud.region, reconcile: { confirmSeconds: 2 } },
    warnings: /WARNING (\((broker|reconcile)\)|\(ledger\) The ledger was restored)/,
  }, (watch) => takeLostCourse(watch, { ...cast, admin, cloud }));
}

/** Keys that one of the followers lists: what a server is, not where and in which state. */
const LISTED = [
  ...["FQDN", "IP", "MAC", "OS", "ImageID", "Storage", "Ram", "CPU", "Owner", "Description", "Metadata"],
  ...["Addresses", "FloatingIPs", "Flavor"],
];

/** Changes of servers are followed: everything by one service, by another no host, and what the older format says alone. */
export async function watchUpdates(stage: Stage): Promise<Outcome> {
  return await watchChanges(stage, {
    title: "changes are followed: both formats, and the older one alone",
    queue: "updates",
    routingKey: "notifications.info",
    unheard: ["Description"],
  });
}

/** The same, where Nova says everything in its newer format alone. */
export async function watchVersionedUpdates(stage: Stage): Promise<Outcome> {
  await stage.cloud.renotify({ ...VERSIONED_ALONE, reclaimSeconds: 0 });
  return await watchChanges(stage, {
    title: "changes are followed: the newer format alone",
    queue: "updates-versioned",
    created: "instance.create.end",
    deleted: "instance.delete.end",
  });
}

interface Changes extends Pick<WatchOptions, "title" | "created" | "deleted"> {
  /** Of the one that follows everything. */
  readonly queue: string;
  /** Of the one that follows listed keys. @default both formats' */
  readonly routingKey?: string;
  /** What that one is not told. @default nothing */
  readonly unheard?: readonly string[];
}

async function watchChanges(
  { cloud, cast }: Stage,
  { title, queue, routingKey, unheard, ...types }: Changes,
): Promise<Outcome> {
  const admin = await cloud.admin();
  const shared = { ...types, admin, rabbit: cloud.rabbit, openstack: accountOf(cloud) };
  const everything = new Follower({
    ...shared,
    title: "everything",
    source: { queue: { name: queue } },
    follow: { update: "all", optional: OPTIONAL_KEYS, hasAssociations: true },
    following: {
      keys: "all",
      optional: new Set(OPTIONAL_KEYS),
      hasAssociations: true,
      unheard: new Set(),
      hearsNetworks: true,
    },
  });
  const listed = new Follower({
    ...shared,
    title: "listed keys",
    source: { queue: { name: `${queue}-listed`, ...routingKey !== undefined && { routingKeys: [routingKey] } } },
    follow: { update: LISTED, settleSeconds: 1, optional: [], hasAssociations: false },
    following: {
      keys: new Set(LISTED),
      optional: new Set(["Flavor"]),
      hasAssociations: false,
      unheard: new Set(unheard),
      hearsNetworks: routingKey === undefined,
    },
  });
  return await follow(
    { title, admin, followers: [everything, listed] },
    (stage) => takeUpdatesCourse(stage, { ...cast, admin, cloud }),
  );
}

/** A service that starts on a new ledger in the middle of everything. */
export async function watchFromTheMiddle({ cloud, cast }: Stage): Promise<Outcome> {
  return await watch({
    title: "a new ledger while servers come and go",
    admin: await cloud.admin(),
    rabbit: cloud.rabbit,
    source: { queue: { name: "middle" } },
    openstack: accountOf(cloud),
    isStarted: false,
  }, (watch) => changeUnderPriming(watch, cast));
}

async function follow(
  { title, admin, followers }: Pick<WatchOptions, "title" | "admin"> & { readonly followers: readonly Follower[] },
  course: (stage: UpdatesStage) => Promise<void>,
): Promise<Outcome> {
  progress(`\n${title}`);
  const begun = Date.now();
  await using stack = new AsyncDisposableStack();
  for (const follower of followers) stack.use(follower);
  const stage = new UpdatesStage(admin, followers);
  const problems: string[] = [];
  try {
    for (const { watch } of followers) await watch.start();
    await course(stage);
  } catch (error) {
    const logs = followers.map(({ watch }) => watch.log.slice(-3000)).join("\n");
    problems.push(`The course broke off: ${error instanceof Error ? error.stack : error}\n${logs}`);
  }
  for (const { title, watch } of followers) {
    await watch.conclude();
    problems.push(...watch.problems.map((problem) => `${title}: ${problem}`));
  }
  return {
    title,
    steps: stage.steps,
    events: followers.reduce((sum, { watch }) => sum + watch.events, 0),
    seconds: (Date.now() - begun) / 1000,
    comparisons: followers.flatMap(({ judge }) => judge.comparisons),
    problems,
  };
}

async function watch(options: WatchOptions, course: (watch: Watch) => Promise<void>): Promise<Outcome> {
  progress(`\n${options.title}`);
  const begun = Date.now();
  await using watch = new Watch(options);
  try {
    if (options.isStarted !== false) await watch.start();
    await course(watch);
  } catch (error) {
    watch.problems.push(
      `The course broke off: ${error instanceof Error ? error.stack : error}\n${watch.log.slice(-3000)}`,
    );
  }
  await watch.conclude();
  const { steps, events, problems, judge: { comparisons } } = watch;
  const { title } = options;
  return { title, steps, events, seconds: (Date.now() - begun) / 1000, comparisons, problems };
}

function accountOf(cloud: PrivateCloud) {
  return { authUrl: cloud.authUrl, ...cloud.adminAccount };
}

/** As a user of the `openstack` command has them: the password in a file of its own. */
function cloudsYaml({ authUrl, adminAccount, region }: PrivateCloud): Readonly<Record<string, string>> {
  const { user, project, password } = adminAccount;
  return {
    "clouds.yaml": `clouds:
  private:
    auth:
      auth_url: ${authUrl}
      username: ${user}
      project_name: ${project}
      user_domain_name: Default
      project_domain_name: Default
    region_name: ${region}
`,
    "secure.yaml": `clouds:\n  private:\n    auth:\n      password: ${password}\n`,
  };
}
