/**
 * Notifications of servers that a test makes up, of the form of recorded ones.
 *
 * @module
 */

import type { Published } from "../../../tools/publisher.ts";
import { readSamples } from "../../support/captures.ts";

/** A server as its notifications tell of it. */
export interface StoryServer {
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly project?: string;
}

const SAMPLES = new Map(readSamples().map(({ name, sample }) => [name, sample]));
/** No two notifications of the tests have the same id. */
let messages = 0;

/** The notification that a server was created. */
export const created = (server: StoryServer): Published => told("compute.instance.create.end", server);

/** The notification that a server was deleted. */
export const deleted = (server: StoryServer): Published => told("compute.instance.delete.end", server);

/** A server of this number, alike for every call. */
export function serverOf(number: number, more: Partial<StoryServer> = {}): StoryServer {
  const hex = number.toString(16).padStart(12, "0");
  return {
    id: `5e7ba1ad-0000-4000-8000-${hex}`,
    name: `web-${number}`,
    address: `10.77.${number >> 8}.${number & 255}`,
    ...more,
  };
}

/** The text of a notification, as it is pasted into the screen "Try". */
export const textOf = (published: Published): string => published.body;

function told(eventType: string, { id, name, address, metadata, project }: StoryServer): Published {
  const sample = SAMPLES.get(eventType);
  if (sample === undefined) throw new Error(`There is no sample of ${eventType}`);
  const outer = JSON.parse(String(sample.wire_body)) as Record<string, string>;
  const inner = JSON.parse(outer["oslo.message"] ?? "");
  messages++;
  const payload = {
    ...inner.payload,
    instance_id: id,
    display_name: name,
    hostname: name,
    ...(metadata === undefined ? {} : { metadata }),
    ...(project === undefined ? {} : { tenant_id: project }),
    fixed_ips: inner.payload.fixed_ips === undefined ? undefined : [{ ...inner.payload.fixed_ips[0], address }],
  };
  const message = {
    ...inner,
    message_id: crypto.randomUUID(),
    _unique_id: crypto.randomUUID().replaceAll("-", ""),
    timestamp: new Date(Date.now() + messages).toISOString().replace("T", " ").replace("Z", "000"),
    payload,
  };
  return {
    exchange: sample.exchange,
    routingKey: sample.routing_key,
    body: JSON.stringify({ ...outer, "oslo.message": JSON.stringify(message) }),
  };
}
