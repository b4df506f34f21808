class Cmdb {
  notify() {}
}

const good = {
  events: { creation: ["compute.instance.create.end"], deletion: ["floatingip.update.end"] },
  plugins: [new Cmdb()],
};

const postgres = {
  url: "postgres://oss:p%40ss@db-1:5432,db-2:5432/oss?sslmode=verify-full",
  schema: "oss_watcher_2",
  leaseSeconds: 30,
  caFile: "ca.pem",
  certFile: "cert.pem",
  keyFile: "key.pem",
  processName: "watcher-1",
};

/** Configurations without mistakes that have every key between them, as config.ts exports them. */
export const WHOLE_CONFIGS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "all sections": {
    events: {
      creation: ["compute.instance.create.end", "instance.create.end", "floatingip.update.end"],
      deletion: ["compute.instance.delete.end", "instance.delete.end", "floatingip.update.end"],
      anyPort: true,
      update: ["FQDN", "Host", "Upper"],
      settleSeconds: 0.5,
    },
    plugins: [
      new Cmdb(),
      { name: "second", notify() {}, update() {}, preview: () => null, previewUpdate: () => null, check() {} },
    ],
    rabbit: [
      {
        host: ["rabbit-1", "10.0.0.1", "::1"],
        port: 5671,
        user: "user",
        password: "s3cret",
        vhost: "/",
        tls: { caFile: "ca.pem", certFile: "cert.pem", keyFile: "key.pem", serverName: "rabbit" },
        prefetch: 500,
        heartbeatSeconds: 10,
        watchQueue: "monitoring.info",
      },
      {
        url: ["amqp://u:p@a:1/v", "amqps://b"],
        queue: { name: "q", exchanges: ["nova"], routingKeys: ["a"], type: "classic" },
      },
      { tls: true, queue: { name: "q" } },
    ],
    openstack: {
      authUrl: "https://h:5000/v3",
      user: "u",
      userId: "u1",
      userDomain: "Default",
      userDomainId: "default",
      password: "p",
      project: "admin",
      projectId: "p1",
      projectDomain: "Default",
      projectDomainId: "default",
      domain: "d",
      domainId: "d1",
      systemScope: false,
      applicationCredentialId: "a1",
      applicationCredentialName: "a",
      applicationCredentialSecret: "s",
      region: "RegionOne",
      interface: "internal",
      caFile: "ca.pem",
      certFile: "cert.pem",
      keyFile: "key.pem",
      maxWaitSeconds: 0,
    },
    detail: {
      static: { Datacenter: "KDC", Nested: [{ a: null, b: 1.5, c: true }] },
      fields: { Upper: () => null },
      domain: "example.com",
      metadataNames: { Owner: "boss" },
    },
    retry: {
      concurrency: 8,
      attemptTimeoutSeconds: 30,
      firstDelaySeconds: 0.5,
      maxDelaySeconds: 300,
      maxAgeHours: 72,
      permanentStatuses: [400],
      breakerFailures: 5,
      limit: { perSecond: 0.5, burst: 3 },
      plugins: { second: { concurrency: 1 }, Cmdb: {} },
    },
    ledger: { file: "ledger.db", keepDays: 30, keepRejectedBodies: false },
    log: { level: "debug", format: "json", file: "oss.log" },
    metrics: { host: "::1", port: 17672 },
  },
  "a ledger on PostgreSQL": { ...good, ledger: { postgres, keepDays: 30 } },
  "a ledger on PostgreSQL, in short": { ...good, ledger: { postgres: { url: "postgresql://oss@db/oss" } } },
  "the console, reconciling and the rest of the detail": {
    ...good,
    rabbit: { url: "amqp://h", queue: { name: "q" }, tls: false },
    openstack: {
      cloud: "c",
      systemScope: true,
      reconcile: { everyHours: 12, confirmSeconds: 60, maxDeletions: 0 },
    },
    detail: {
      ipVersion: "first",
      optional: ["Name", "Zone"],
      metadataNames: {
        Owner: "a",
        AdditionalUsers: "b",
        ApplicationName: "c",
        EnvironmentCI: "d",
        Description: "e",
      },
    },
    console: {
      host: "0.0.0.0",
      port: 17673,
      url: "https://console.example.com",
      allowedHosts: ["::1", "console.example.com"],
      tls: { certFile: "cert.pem", keyFile: "key.pem" },
      trustedProxy: { addresses: ["10.0.0.0/24", "::1"], userHeader: "X-User", groupsHeader: "X-Groups" },
      groups: { operator: ["a"], viewer: ["b"] },
      sessionHours: 0.1,
    },
    metrics: false,
  },
  "what can be turned off": { ...good, openstack: { reconcile: false }, console: false, metrics: false },
  "no comparison by the clock": { ...good, openstack: { reconcile: { everyHours: false } } },
};
