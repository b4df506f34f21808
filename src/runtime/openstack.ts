import type { DetailSource } from "../detail/enrich.ts";
import { RetryingSource } from "../detail/retrying_source.ts";
import type { Clock } from "../model/clock.ts";
import type { OpenStackOptions } from "../model/config.ts";
import { DeliveryError, UserError } from "../model/errors.ts";
import type { Logger } from "../model/plugin.ts";
import { OpenStackApi } from "../openstack/api.ts";
import { type Credentials, findCredentials } from "../openstack/credentials.ts";
import { OpenStackUnavailable } from "../openstack/errors.ts";
import { readUsablePems } from "../wire/http/http_client.ts";
import { shownUrl } from "../wire/secrets/redact.ts";

/**
 * The clients of the cloud that config.ts, clouds.yaml or the environment name. Asks nothing yet.
 *
 * @throws {UserError} when it cannot be found out how to log in, or a file for that cannot be used.
 */
export async function openOpenStack(
  options: OpenStackOptions,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): Promise<OpenStackApi> {
  const credentials = await findCredentials(options, {
    env: (name) => Deno.env.get(name),
    readFile: (path) => Deno.readTextFile(path),
    cwd: Deno.cwd(),
    home: Deno.env.get("HOME"),
  });
  await refuseUnusable(credentials);
  log.info(
    `Details are completed from the cloud of Keystone at ${shownUrl(credentials.authUrl)} (${credentials.source})`,
  );
  return new OpenStackApi({ credentials, clock, log });
}

/** A file that is not there at the start is a mistake; one that goes later may come back. */
async function refuseUnusable({ tls, source }: Credentials): Promise<void> {
  try {
    await readUsablePems(tls);
  } catch (error) {
    throw error instanceof DeliveryError ? new UserError(`${error.message}. Correct it in ${source}`) : error;
  }
}

/**
 * Logs in. A cloud that does not answer is told and no reason to stop.
 *
 * @throws {UserError} when it refuses us, or has not what is needed.
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
    log.warn(`${error.message}. Going on without it for now`);
  }
}

/** A cloud that is asked once: who tries something out does not wait. */
export interface OpenedCloud extends AsyncDisposable {
  readonly source: DetailSource;
}

interface Surroundings {
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * The configured cloud for a dry run, logged in.
 *
 * @throws {UserError} when there is none, or it refuses us, or does not answer.
 */
export async function openCloudOnce(
  options: OpenStackOptions | undefined,
  { clock, random, log }: Surroundings & { readonly random: () => number },
): Promise<OpenedCloud> {
  const api = await openApiOnce(options, { clock, log });
  const source = new RetryingSource({ api, clock, random, log, maxWaitMs: 0 });
  return { source, [Symbol.asyncDispose]: () => api[Symbol.asyncDispose]() };
}

/**
 * The clients of the configured cloud for a command, logged in.
 *
 * @throws {UserError} when there is none, or it refuses us, or does not answer.
 */
export async function openApiOnce(
  options: OpenStackOptions | undefined,
  { clock, log }: Surroundings,
): Promise<OpenStackApi> {
  if (options === undefined) {
    throw new UserError(
      'Cannot ask OpenStack: config.ts has no `openstack` section. Add one, as openstack: { cloud: "NAME" }',
    );
  }
  const api = await openOpenStack(options, { clock, log });
  try {
    await api.check();
    return api;
  } catch (error) {
    await api[Symbol.asyncDispose]();
    throw error instanceof OpenStackUnavailable ? new UserError(error.message) : error;
  }
}
