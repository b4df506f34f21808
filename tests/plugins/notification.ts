import type { Detail, NotifyContext, UpdateContext } from "../../mod.ts";

/** The example of the first generation's manual, with hostile values where a tenant chooses. */
export const detail: Detail = {
  FQDN: "fake.hostname.com",
  IP: "172.18.66.54",
  IPType: "Public",
  OS: "Ubuntu",
  Storage: 80,
  Ram: 8,
  CPU: 2,
  Datacenter: "KDC",
  SecurityDomain: "DQT",
  Owner: "some_owner",
  AdditionalUsers: [],
  ApplicationName: "Fake name",
  EnvironmentCI: "Environment info",
  Description: "lone \ud800, NUL \0, CSI \x9b2J, \u202egnp, line\r\nbreak, Grüße 😀",
  CreationDate: "2015-03-19",
  ID: "5bd8b6a0-0b1f-4d6a-9b0f-0d0f3c2a1e11",
  ImageID: null,
  MAC: "fa:16:3e:00:00:01",
  ProjectID: null,
  ProjectName: null,
  UserID: null,
  UserName: null,
  RemoteAddress: null,
  Metadata: { owner: "some_owner" },
  Addresses: [],
  FloatingIPs: [],
};

/** The context of a first attempt, with what a test wants to be different. */
export function context(changes: Partial<NotifyContext> = {}): NotifyContext {
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  return {
    origin: "bus",
    sequence: 1,
    kind: "creation",
    key: "server/5bd8b6a0-0b1f-4d6a-9b0f-0d0f3c2a1e11/creation",
    subject: "server",
    eventType: "compute.instance.create.end",
    time: "2026-11-21T18:59:38.385Z",
    attempt: 1,
    signal: new AbortController().signal,
    log,
    creationSeen: true,
    missing: [],
    keep() {},
    note() {},
    ...changes,
  };
}

/** The context of an update of {@linkcode detail}, likewise. */
export function updateContext(changes: Partial<UpdateContext> = {}): UpdateContext {
  return {
    ...context(),
    kind: "update",
    key: "server/5bd8b6a0-0b1f-4d6a-9b0f-0d0f3c2a1e11/update/1",
    eventType: "compute.instance.update",
    before: detail,
    changed: ["FQDN"],
    ...changes,
  };
}
