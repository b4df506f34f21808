import { AmqpError } from "./amqp_error.ts";
import type { FieldTable } from "./field_writer.ts";
import { type Frame, FRAME_MAX } from "./frame_reader.ts";
import type { Tuning } from "./methods.ts";

/** RabbitMQ's own default. */
export const CHANNEL_MAX = 2_047;

/** The client properties; `name` is the connection's name in RabbitMQ's management UI. */
export function propertiesOf(name: string): FieldTable {
  return {
    product: "oss-watcher",
    platform: "Deno",
    connection_name: name,
    capabilities: { authentication_failure_close: true, consumer_cancel_notify: true, "connection.blocked": true },
  };
}

/** The broker's data in connection.start. */
export interface Greeting {
  /** The broker's release, as `4.0.5`; empty if it does not report it. */
  readonly version: string;
  /** The supported login mechanisms, as `PLAIN`. */
  readonly mechanisms: readonly string[];
}

/** Reads connection.start. */
export function readGreeting(frame: Frame): Greeting {
  const [major, minor] = [frame.u8(), frame.u8()];
  if (major !== 0 || minor !== 9) throw new AmqpError("NOT_IMPLEMENTED", `the broker speaks AMQP ${major}-${minor}`);
  const version = frame.textInTable("version") ?? "";
  return { version, mechanisms: frame.longText().split(" ") };
}

/** Reads the broker's limits from connection.tune. */
export function readTuning(frame: Frame): Tuning {
  return { channelMax: frame.u16(), frameMax: frame.u32(), heartbeatSeconds: frame.u16() };
}

/** The limits that hold for both sides. A broker's 0 means no limit. */
export function negotiated({ channelMax, frameMax, heartbeatSeconds }: Tuning, ownHeartbeatSeconds: number): Tuning {
  return {
    channelMax: Math.min(channelMax || CHANNEL_MAX, CHANNEL_MAX),
    frameMax: Math.min(frameMax || FRAME_MAX, FRAME_MAX),
    heartbeatSeconds: Math.min(heartbeatSeconds || ownHeartbeatSeconds, ownHeartbeatSeconds),
  };
}
