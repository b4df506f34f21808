import { AmqpError } from "./amqp_error.ts";
import type { FieldTable } from "./field_writer.ts";
import { type Frame, FRAME_MAX } from "./frame_reader.ts";
import type { Tuning } from "./methods.ts";

/** RabbitMQ's own default. */
export const CHANNEL_MAX = 2_047;

/** What we say of ourselves; `name` is what RabbitMQ calls the connection. */
export function propertiesOf(name: string): FieldTable {
  return {
    product: "oss-watcher",
    platform: "Deno",
    connection_name: name,
    capabilities: { authentication_failure_close: true, consumer_cancel_notify: true, "connection.blocked": true },
  };
}

/** What a broker says of itself. */
export interface Greeting {
  /** Its release, as `4.0.5`; empty when it does not say. */
  readonly version: string;
  /** The ways to log in. */
  readonly mechanisms: readonly string[];
}

/** From connection.start. */
export function readGreeting(frame: Frame): Greeting {
  const [major, minor] = [frame.u8(), frame.u8()];
  if (major !== 0 || minor !== 9) throw new AmqpError("NOT_IMPLEMENTED", `the broker speaks AMQP ${major}-${minor}`);
  const version = frame.textInTable("version") ?? "";
  return { version, mechanisms: frame.longText().split(" ") };
}

/** What the broker can do, from connection.tune. */
export function readTuning(frame: Frame): Tuning {
  return { channelMax: frame.u16(), frameMax: frame.u32(), heartbeatSeconds: frame.u16() };
}

/** What both can do. 0 of the broker is no limit. */
export function negotiated({ channelMax, frameMax, heartbeatSeconds }: Tuning, ownHeartbeatSeconds: number): Tuning {
  return {
    channelMax: Math.min(channelMax || CHANNEL_MAX, CHANNEL_MAX),
    frameMax: Math.min(frameMax || FRAME_MAX, FRAME_MAX),
    heartbeatSeconds: Math.min(heartbeatSeconds || ownHeartbeatSeconds, ownHeartbeatSeconds),
  };
}
