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

/** The ways to log in, from connection.start. */
export function readMechanisms(frame: Frame): readonly string[] {
  const [major, minor] = [frame.u8(), frame.u8()];
  if (major !== 0 || minor !== 9) throw new AmqpError("NOT_IMPLEMENTED", `the broker speaks AMQP ${major}-${minor}`);
  frame.skipLongText();
  return frame.longText().split(" ");
}

/** What the broker can do, from connection.tune. */
export function readTuning(frame: Frame): Tuning {
  return { channelMax: frame.u16(), frameMax: frame.u32(), heartbeatSeconds: frame.u16() };
}

/** What both can do. 0 of the broker is no limit. */
export function agreed({ channelMax, frameMax, heartbeatSeconds }: Tuning, ownHeartbeatSeconds: number): Tuning {
  return {
    channelMax: Math.min(channelMax || CHANNEL_MAX, CHANNEL_MAX),
    frameMax: Math.min(frameMax || FRAME_MAX, FRAME_MAX),
    heartbeatSeconds: Math.min(heartbeatSeconds || ownHeartbeatSeconds, ownHeartbeatSeconds),
  };
}
