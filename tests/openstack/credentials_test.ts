import assert from "node:assert/strict";
import type { OpenStackOptions } from "../../src/model/config.ts";
import { type Credentials, findCredentials } from "../../src/openstack/credentials.ts";
import { userError } from "./opened.ts";

/** Looks for credentials among made-up variables and files. */
function find(
  options: OpenStackOptions,
  { env = {}, files = {} }: { env?: Record<string, string>; files?: Record<string, string> } = {},
): Promise<Credentials> {
  return findCredentials(options, {
    env: (name) => env[name],
    readFile: (path) => {
      const text = files[path];
      if (text === "denied") return Promise.reject(new Deno.errors.PermissionDenied("denied"));
      return text === undefined ? Promise.reject(new Deno.errors.NotFound(path)) : Promise.resolve(text);
    },
    cwd: "/work",
    home: "/home/me",
  });
}

const DEFAULT = { id: "default" };
const OS = {
  OS_AUTH_URL: "https://keystone:5000/v3",
  OS_USERNAME: "watcher",
  OS_PASSWORD: "s3cr3t-pa55",
  OS_PROJECT_NAME: "ops",
};
const CLOUDS = `
clouds:
  admin:
    auth:
      auth_url: https://keystone:5000/v3/
      username: watcher
      project_name: ops
      user_domain_name: People
      project_domain_id: d123
    region_name: RegionOne
    interface: internalURL
    cacert: ~/ca.pem
    verify: true
  other:
    auth: {auth_url: "http://h/identity", application_credential_id: ec0e, application_credential_secret: r0bot-5ecret}
    auth_type: v3applicationcredential
`;
const SECURE = `clouds: {admin: {auth: {password: 0123}}}`;
const HOME = "/home/me/.config/openstack";

Deno.test("findCredentials() takes the fields of config.ts", async () => {
  const credentials = await find({
    authUrl: "http://keystone:5000/v2.0/",
    user: "user",
    password: "s3cr3t-pa55",
    project: "admin",
    caFile: "ca.pem",
    maxWaitSeconds: 5,
  }, { env: OS });

  assert.deepEqual(credentials, {
    authUrl: "http://keystone:5000/v2.0",
    identity: { method: "password", user: { name: "user", domain: DEFAULT }, password: "s3cr3t-pa55" },
    scope: { kind: "project", project: { name: "admin", domain: DEFAULT } },
    region: null,
    interface: "public",
    tls: { caFile: "/work/ca.pem" },
    source: "the section `openstack` of config.ts",
  });
});

Deno.test("findCredentials() takes a cloud of clouds.yaml with the password of secure.yaml", async () => {
  const files = { [`${HOME}/clouds.yaml`]: CLOUDS, "/etc/openstack/secure.yaml": SECURE };
  const expected: Credentials = {
    authUrl: "https://keystone:5000/v3",
    identity: { method: "password", user: { name: "watcher", domain: { name: "People" } }, password: "0123" },
    scope: { kind: "project", project: { name: "ops", domain: { id: "d123" } } },
    region: "RegionOne",
    interface: "internal",
    tls: { caFile: "/home/me/ca.pem" },
    source: `the cloud "admin" of "${HOME}/clouds.yaml"`,
  };

  assert.deepEqual(await find({ cloud: "admin" }, { files }), expected);
  assert.deepEqual(await find({}, { files, env: { ...OS, OS_CLOUD: "admin" } }), expected);
  const other = await find({ cloud: "admin", region: "Two", systemScope: true }, { files });
  assert.deepEqual([other.region, other.scope], ["Two", { kind: "system" }]);
});

Deno.test("findCredentials() takes an application credential, which brings its own project", async () => {
  const { identity, scope } = await find({ cloud: "other", project: "ops" }, {
    files: { "/work/clouds.yaml": CLOUDS },
  });

  assert.deepEqual(identity, { method: "application_credential", id: "ec0e", secret: "r0bot-5ecret" });
  assert.deepEqual(scope, { kind: "credential" });
});

Deno.test("findCredentials() takes the password of config.ts before a cloud's application credential", async () => {
  const { identity, scope } = await find({ cloud: "other", user: "me", password: "mine", project: "ops" }, {
    files: { "/work/clouds.yaml": CLOUDS },
  });

  assert.deepEqual(identity, { method: "password", user: { name: "me", domain: DEFAULT }, password: "mine" });
  assert.deepEqual(scope, { kind: "project", project: { name: "ops", domain: DEFAULT } });
});

Deno.test("findCredentials() looks in the standard places in their order", async () => {
  const at = (host: string) =>
    `clouds: {one: {auth: {auth_url: http://${host}, username: u, password: p, project_id: x}}}`;
  const places = [
    "/work/clouds.yaml",
    "/xdg/openstack/clouds.yaml",
    `${HOME}/clouds.yml`,
    "/etc/openstack/clouds.json",
  ];
  const env = { XDG_CONFIG_HOME: "/xdg" };

  for (let first = 0; first < places.length; first++) {
    const files = Object.fromEntries(places.slice(first).map((path) => [path, at(`h${places.indexOf(path)}`)]));
    assert.equal((await find({ cloud: "one" }, { files, env })).authUrl, `http://h${first}`);
  }
  const files = { "/work/clouds.yaml": at("cwd"), "/elsewhere.yaml": at("named") };
  assert.equal((await find({}, { files, env: { OS_CLIENT_CONFIG_FILE: "/elsewhere.yaml" } })).authUrl, "http://named");
});

Deno.test("findCredentials() takes what a profile of clouds-public.yaml and a merge key bring", async () => {
  const files = {
    "/work/clouds.yaml": `
defaults: &defaults {auth: {username: u, password: p, project_id: x}, regions: [{name: R1}]}
clouds: {mine: {<<: *defaults, profile: vendor}}`,
    "/etc/openstack/clouds-public.yaml":
      `public-clouds: {vendor: {auth: {auth_url: https://vendor/v3}, interface: admin}}`,
  };

  const credentials = await find({ cloud: "mine" }, { files });

  assert.deepEqual([credentials.authUrl, credentials.region, credentials.interface], [
    "https://vendor/v3",
    "R1",
    "admin",
  ]);
});

Deno.test("findCredentials() takes the variables OS_*, the old names too", async () => {
  const env = {
    OS_AUTH_URL: "http://keystone:5000/v2.0",
    OS_USERNAME: "user",
    OS_PASSWORD: "s3cr3t-pa55",
    OS_TENANT_NAME: "admin",
    OS_DEFAULT_DOMAIN: "d1",
    OS_USER_DOMAIN_NAME: "People",
    OS_REGION_NAME: "RegionOne",
    OS_ENDPOINT_TYPE: "adminURL",
    OS_CACERT: "/ca.pem",
    OS_CERT: "/cert.pem",
    OS_KEY: "/key.pem",
    OS_PROJECT_ID: "",
  };

  assert.deepEqual(await find({}, { env }), {
    authUrl: "http://keystone:5000/v2.0",
    identity: { method: "password", user: { name: "user", domain: { name: "People" } }, password: "s3cr3t-pa55" },
    scope: { kind: "project", project: { name: "admin", domain: { id: "d1" } } },
    region: "RegionOne",
    interface: "admin",
    tls: { caFile: "/ca.pem", certFile: "/cert.pem", keyFile: "/key.pem" },
    source: "the variables OS_*",
  });
  assert.deepEqual(await find({ cloud: "envvars" }, { env: { ...env, OS_CLOUD: "x" } }), await find({}, { env }));
});

Deno.test("findCredentials() takes every kind of scope", async () => {
  const { OS_PROJECT_NAME: _name, ...none } = OS;
  const scopeOf = async (more: Record<string, string>) => (await find({}, { env: { ...none, ...more } })).scope;

  assert.deepEqual(await scopeOf({ OS_PROJECT_ID: "p1" }), { kind: "project", project: { id: "p1" } });
  assert.deepEqual(await scopeOf({ OS_SYSTEM_SCOPE: "all" }), { kind: "system" });
  assert.deepEqual(await scopeOf({ OS_DOMAIN_NAME: "D" }), { kind: "domain", domain: { name: "D" } });
  assert.deepEqual(await scopeOf({ OS_DOMAIN_ID: "d" }), { kind: "domain", domain: { id: "d" } });
});

const cloud = (text: string) => ({ files: { "/work/clouds.yaml": `clouds: {a: {${text}}}` } });
const AUTH = `auth: {auth_url: "http://h/v3", username: u, password: s3cr3t-pa55, project_name: p}`;

const mistakes: readonly (readonly [string, OpenStackOptions, Parameters<typeof find>[1], string])[] = [
  [
    "nothing is there",
    {},
    {},
    "Cannot find out how to log in to OpenStack: openstack.authUrl, openstack.cloud, OS_CLOUD and OS_AUTH_URL are not set, and there is no clouds.yaml with one cloud. Set one of them",
  ],
  [
    "there is no clouds.yaml",
    { cloud: "a" },
    {},
    `Cannot find the cloud "a": there is no clouds.yaml. Looked in /work, ${HOME}, /etc/openstack; write one, or name it with OS_CLIENT_CONFIG_FILE`,
  ],
  [
    "the cloud is not there",
    { cloud: "b" },
    cloud(AUTH),
    `Cannot find the cloud "b": "/work/clouds.yaml" has "a". Correct openstack.cloud or OS_CLOUD`,
  ],
  [
    "the cloud is a property of all objects",
    { cloud: "constructor" },
    cloud(AUTH),
    `Cannot find the cloud "constructor": "/work/clouds.yaml" has "a". Correct openstack.cloud or OS_CLOUD`,
  ],
  [
    "there are several clouds",
    {},
    { files: { "/work/clouds.yaml": CLOUDS } },
    `Cannot choose a cloud: "/work/clouds.yaml" has "admin", "other". Set openstack.cloud or OS_CLOUD`,
  ],
  [
    "the file of the variable is not there",
    {},
    { env: { OS_CLIENT_CONFIG_FILE: "/x" } },
    `Cannot read "/x": there is no such file. Correct the variable OS_CLIENT_CONFIG_FILE`,
  ],
  [
    "the file may not be read",
    { cloud: "a" },
    { files: { "/work/clouds.yaml": "denied" } },
    `Cannot read "/work/clouds.yaml": this user may not read it`,
  ],
  [
    "the file is no YAML",
    { cloud: "a" },
    { files: { "/work/clouds.yaml": `a:\n  password: "s3cr3t-pa55\n` } },
    `Cannot read "/work/clouds.yaml": line 3, column 1 is not valid YAML (MISSING_CHAR). Correct it`,
  ],
  [
    "the file is no mapping",
    { cloud: "a" },
    { files: { "/work/clouds.yaml": "- a" } },
    `Cannot read "/work/clouds.yaml": it is not a mapping of names to values. See openstacksdk's documentation`,
  ],
  [
    "verification is off",
    { cloud: "a" },
    cloud(`${AUTH}, verify: false`),
    `Cannot use the cloud "a" of "/work/clouds.yaml": certificate verification is switched off there (verify), which is not supported. Remove that, and set the certificate of the CA (cacert, OS_CACERT or openstack.caFile)`,
  ],
  [
    "OS_INSECURE is on",
    {},
    { env: { ...OS, OS_INSECURE: "true" } },
    "Cannot use the variables OS_*: certificate verification is switched off there (insecure), which is not supported. Remove that, and set the certificate of the CA (cacert, OS_CACERT or openstack.caFile)",
  ],
  [
    "the auth_type is another",
    { cloud: "a" },
    cloud(`${AUTH}, auth_type: v3oidcpassword`),
    `Cannot log in to OpenStack with the cloud "a" of "/work/clouds.yaml": auth_type "v3oidcpassword" is not supported. Use password or v3applicationcredential`,
  ],
  [
    "the profile is unknown",
    { cloud: "a" },
    cloud("profile: vendor"),
    `Cannot use the cloud "a" of "/work/clouds.yaml": its profile "vendor" is in no clouds-public.yaml. Looked in /work, ${HOME}, /etc/openstack; write what it stands for into clouds.yaml`,
  ],
  [
    "the auth_url is missing",
    { cloud: "a" },
    cloud("auth: {}"),
    `Cannot log in to OpenStack with the cloud "a" of "/work/clouds.yaml": auth.auth_url is missing. Set auth.auth_url`,
  ],
  [
    "the auth_url has a password",
    {},
    { env: { ...OS, OS_AUTH_URL: "http://u:s3cr3t-pa55@h/v3" } },
    `Cannot use the variables OS_*: OS_AUTH_URL is "http://h/v3"; write http://… or https://…, without user and password`,
  ],
  [
    "the password is missing",
    {},
    { env: { ...OS, OS_PASSWORD: "" } },
    "Cannot log in to OpenStack with the variables OS_*: OS_PASSWORD is missing. Set OS_PASSWORD",
  ],
  [
    "the user is missing",
    { authUrl: "http://h", password: "x", project: "p" },
    {},
    "Cannot log in to OpenStack with the section `openstack` of config.ts: openstack.user is missing. Set openstack.user or openstack.userId",
  ],
  [
    "the scope is missing",
    { authUrl: "http://h", password: "x", user: "u" },
    {},
    "Cannot log in to OpenStack with the section `openstack` of config.ts: openstack.project is missing. Set openstack.project or openstack.projectId or openstack.systemScope",
  ],
  [
    "there are two scopes",
    {},
    { env: { ...OS, OS_SYSTEM_SCOPE: "all" } },
    "Cannot use the variables OS_*: OS_SYSTEM_SCOPE is set together with a project or a domain. Keep one of them",
  ],
  [
    "the secret is missing",
    { authUrl: "http://h", applicationCredentialId: "x" },
    {},
    "Cannot log in to OpenStack with the section `openstack` of config.ts: openstack.applicationCredentialSecret is missing. Set openstack.applicationCredentialSecret",
  ],
  [
    "the key is missing",
    { cloud: "a" },
    cloud(`${AUTH}, cert: c.pem`),
    `Cannot log in to OpenStack with the cloud "a" of "/work/clouds.yaml": key is missing. Set key`,
  ],
  [
    "the interface is unknown",
    { cloud: "a" },
    cloud(`${AUTH}, interface: secret`),
    `Cannot use the cloud "a" of "/work/clouds.yaml": interface is "secret"; write public, internal or admin`,
  ],
];

for (const [what, options, surroundings, expected] of mistakes) {
  Deno.test(`findCredentials() says what to do when ${what}`, async () => {
    assert.equal(await userError(find(options, surroundings)), expected);
  });
}
