// A private OpenStack to play with, until Ctrl-C. `deno task openstack [--release NAME]`
import { progress } from "../packages.ts";
import { startCloud } from "./cloud.ts";
import { installOpenStack, takeRelease } from "./programs.ts";
import { COMPUTES, type Notifying } from "./settings.ts";

const NOTIFYING: Notifying = {
  novaFormat: "both",
  novaDrivers: ["messagingv2"],
  neutronDrivers: ["messagingv2"],
  topics: ["notifications", "monitoring"],
  versionedTopics: ["versioned_notifications"],
};

const programs = await installOpenStack(takeRelease(Deno.args).release);
await using cloud = await startCloud({ programs, notifying: NOTIFYING, computes: COMPUTES });
const { user, password, project } = cloud.adminAccount;
const lines = [
  `export OS_AUTH_URL=${cloud.authUrl} OS_REGION_NAME=${cloud.region} OS_IDENTITY_API_VERSION=3`,
  `export OS_USERNAME=${user} OS_PASSWORD=${password} OS_PROJECT_NAME=${project}`,
  "export OS_USER_DOMAIN_NAME=Default OS_PROJECT_DOMAIN_NAME=Default",
  `export RABBIT_URL=${cloud.rabbit.url}`,
];
Deno.stdout.writeSync(new TextEncoder().encode(`${lines.join("\n")}\n`));
progress("Ctrl-C ends it and removes everything");
const stop = Promise.withResolvers<void>();
for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, stop.resolve);
await stop.promise;
