// An account of the whole system: Nova takes it up to Zed. Later releases show it nothing, and the service must say so.
import type { OpenStackOptions } from "../../src/model/config.ts";
import type { PrivateCloud } from "../../tools/openstack/cloud.ts";
import { PERMISSIONS } from "../../tools/permissions.ts";
import { ProgramDirectory, runProgram } from "../support/program.ts";

export function accountOfTheSystem({ authUrl, adminAccount: { user, password } }: PrivateCloud): OpenStackOptions {
  return { authUrl, user, password, systemScope: true };
}

/** What `check --connect` says of such an account. */
export async function checkSystemScope(cloud: PrivateCloud): Promise<{
  readonly isTaken: boolean;
  /** What it should have said, and did not. */
  readonly problems: readonly string[];
}> {
  using dir = new ProgramDirectory({
    "config.ts": `export default {
  events: { creation: ["instance.create.end"], deletion: ["instance.delete.end"] },
  plugins: [{ name: "Silent", notify() {} }],
  rabbit: { url: ${JSON.stringify(cloud.rabbit.url)}, queue: { name: "checked" } },
  ledger: { file: "./ledger.db" },
  openstack: ${JSON.stringify(accountOfTheSystem(cloud))},
};
`,
  });
  const { out } = await runProgram({ dir: dir.path(), args: ["check", "--connect"], permissions: PERMISSIONS });
  const text = out.replace(/\s+/g, " ");
  const isTaken = await novaTakesIt(cloud);
  const said = isTaken
    ? [/our account may list the servers of all projects/, /our account may show a server/]
    : ["list the servers of all projects", "show a server", "list ports", "list floating IPs", "show an image"].map(
      (what) => new RegExp(`our account may not ${what} [^.]* it is logged in without a project, .*? Name a project`),
    );
  const missing = said.filter((pattern) => !pattern.test(text));
  return { isTaken, problems: missing.map((pattern) => `check --connect does not say ${pattern}: ${text}`) };
}

/** Asked without our code. */
async function novaTakesIt({ authUrl, adminAccount: { user, password } }: PrivateCloud): Promise<boolean> {
  const identity = { methods: ["password"], password: { user: { name: user, domain: { id: "default" }, password } } };
  const login = await fetch(`${authUrl}/auth/tokens`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ auth: { identity, scope: { system: { all: true } } } }),
  });
  const { token: { catalog } } = await login.json();
  const nova = catalog.find(({ type }: { readonly type: string }) => type === "compute").endpoints[0].url;
  const headers = { "x-auth-token": login.headers.get("x-subject-token")! };
  const answer = await fetch(`${nova}/servers?all_tenants=1`, { headers });
  await answer.body?.cancel();
  return answer.ok;
}
