import assert from "node:assert/strict";
import { OpenStackApi, type OpenStackApiOptions } from "../../src/openstack/api.ts";
import type { Credentials } from "../../src/openstack/credentials.ts";
import { OpenStackUnavailable } from "../../src/openstack/errors.ts";
import { KeptLog } from "../support/loggers.ts";
import { OpenStackServer } from "../support/openstack_server.ts";
import { VirtualClock } from "../support/virtual_clock.ts";

/** What is in no error, log or request log. */
export const SECRETS = ["s3cr3t-pa55", "token-1", "token-2", "r0bot-5ecret"];

/** Clients and the cloud that they ask. */
export class Opened implements AsyncDisposable {
  readonly server = new OpenStackServer();
  readonly clock = new VirtualClock();
  readonly log = new KeptLog();
  readonly api: OpenStackApi;

  constructor(
    credentials: Partial<Credentials> = {},
    options: Partial<Omit<OpenStackApiOptions, "credentials">> = {},
  ) {
    const { clock, log } = this;
    this.api = new OpenStackApi({
      credentials: { ...credentialsFor(this.server.authUrl), ...credentials },
      clock,
      log,
      pageSize: 3,
      ...options,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.api[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
  }
}

export function credentialsFor(authUrl: string): Credentials {
  const domain = { id: "default" };
  return {
    authUrl,
    identity: { method: "password", user: { name: "admin", domain }, password: "s3cr3t-pa55" },
    scope: { kind: "project", project: { name: "admin", domain } },
    region: null,
    interface: "public",
    tls: {},
    source: "the test",
  };
}

/** The text of a UserError, one line without secrets. */
export async function userError(work: Promise<unknown>): Promise<string> {
  return checkedText(await rejection(work), "UserError");
}

export async function unavailable(work: Promise<unknown>): Promise<OpenStackUnavailable> {
  const error = await rejection(work);
  checkedText(error, "OpenStackUnavailable");
  assert(error instanceof OpenStackUnavailable);
  return error;
}

export async function all<T>(pages: AsyncIterable<{ readonly records: readonly T[] }>): Promise<T[]> {
  const found: T[] = [];
  for await (const { records } of pages) found.push(...records);
  return found;
}

function rejection(work: Promise<unknown>): Promise<Error> {
  return work.then(() => assert.fail("it succeeded"), (error: Error) => error);
}

function checkedText({ name, message, stack = "", cause }: Error, expected: string): string {
  assert.equal(name, expected, stack);
  assert.equal(cause, undefined);
  assert.doesNotMatch(message, /[\n\r]/);
  assert.deepEqual(SECRETS.filter((secret) => message.includes(secret)), []);
  return message;
}
