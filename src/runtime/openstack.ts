import type { DetailSource } from "../detail/enrich.ts";
import { RetryingSource } from "../detail/retrying_source.ts";
import type { Clock } from "../model/clock.ts";
import type { OpenStackOptions } from "../model/config.ts";
import { DeliveryError, UserError } from "../model/errors.ts";
import type { Logger } from "../model/plugin.ts";
import { OpenStackApi } from "../openstack/api.ts";
import { type Credentials, findCredentials } from "../openstack/credentials.ts";
import { OpenStackUnavailable } from "../openstack/errors.ts";
import { ownEnvironment } from "../openstack/host_environment.ts";
import { readUsablePems } from "../wire/http/http_client.ts";
import { shownUrl } from "../wire/secrets/redact.ts";

/**
 * Creates the clients of the cloud that config.ts, clouds.yaml or the environment describe. Sends
 * no request yet.
 *
 * @throws {UserError} when credentials are missing, or a file that they name is unusable.
 */
export async function openOpenStack(
  options: OpenStackOptions,
  { clock, log, ...limits }: Environment,
): Promise<OpenStackApi> {
  const credentials = await findCredentials(options, ownEnvironment());
  await refuseUnusable(credentials);
  log.info(
    `Details are completed from the cloud of Keystone at ${shownUrl(credentials.authUrl)} (${credentials.source})`,
  );
  return new OpenStackApi({ credentials, clock, log, ...limits });
}

/**
 * Refuses unusable certificate files. Only at the start: a file that vanishes later may come back.
 */
async function refuseUnusable({ tls, source }: Credentials): Promise<void> {
  try {
    await readUsablePems(tls);
  } catch (error) {
    throw error instanceof DeliveryError ? new UserError(`${error.message}. Correct it in ${source}`) : error;
  }
}

/**
 * Logs in. A cloud that does not answer is logged, and does not stop the service.
 *
 * @throws {UserError} when it refuses us, or lacks a service that is needed.
 */
export async function checkOpenStack(
  api: Pick<OpenStackApi, "check">,
  { log, signal }: { readonly log: Logger; readonly signal: AbortSignal },
): Promise<void> {
  try {
    await api.check(signal);
    log.info("Logged in; Nova, Neutron and Glance are there");
  } catch (error) {
    if (signal.aborted) return;
    if (!(error instanceof OpenStackUnavailable)) throw error;
    log.warn(`${error.message}. Continuing without it`);
  }
}

/** A cloud for commands: questions are not retried. */
export interface OpenedCloud extends AsyncDisposable {
  readonly source: DetailSource;
}

interface Environment {
  readonly clock: Clock;
  readonly log: Logger;
  /** Requests in flight. @default 24 */
  readonly concurrency?: number;
  /** Resources per page of a listing. @default 200 */
  readonly pageSize?: number;
  /** Cancels the login. @default it is not cancelled */
  readonly signal?: AbortSignal;
}

/**
 * Logs in to the configured cloud, for a dry run.
 *
 * @throws {UserError} when none is configured, or it refuses us or does not answer.
 */
export async function openCloudOnce(
  options: OpenStackOptions | undefined,
  { clock, random, log }: Environment & { readonly random: () => number },
): Promise<OpenedCloud> {
  const api = await openApiOnce(options, { clock, log });
  const source = new RetryingSource({ api, clock, random, log, maxWaitMs: 0 });
  return { source, [Symbol.asyncDispose]: () => api[Symbol.asyncDispose]() };
}

/**
 * Logs in to the configured cloud, for a command.
 *
 * @throws {UserError} when none is configured, or it refuses us or does not answer.
 */
export async function openApiOnce(
  options: OpenStackOptions | undefined,
  { signal, ...environment }: Environment,
): Promise<OpenStackApi> {
  if (options === undefined) {
    throw new UserError(
      'Cannot ask OpenStack: config.ts has no `openstack` section. Add one, as openstack: { cloud: "NAME" }',
    );
  }
  const api = await openOpenStack(options, environment);
  try {
    await api.check(signal);
    return api;
  } catch (error) {
    await api[Symbol.asyncDispose]();
    throw error instanceof OpenStackUnavailable ? new UserError(error.message) : error;
  }
}
