import { type FieldTable, FieldWriter } from "./field_writer.ts";
import { FRAME } from "./frame_reader.ts";

/**
 * AMQP's methods, each as class and method number as at the beginning of a method frame (AMQP
 * 0-9-1, 4.2.4), with RabbitMQ's extensions.
 */
export const METHOD = {
  connectionStart: id(10, 10),
  connectionStartOk: id(10, 11),
  connectionTune: id(10, 30),
  connectionTuneOk: id(10, 31),
  connectionOpen: id(10, 40),
  connectionOpenOk: id(10, 41),
  connectionClose: id(10, 50),
  connectionCloseOk: id(10, 51),
  connectionBlocked: id(10, 60),
  connectionUnblocked: id(10, 61),
  channelOpen: id(20, 10),
  channelOpenOk: id(20, 11),
  channelFlow: id(20, 20),
  channelFlowOk: id(20, 21),
  channelClose: id(20, 40),
  channelCloseOk: id(20, 41),
  exchangeDeclare: id(40, 10),
  exchangeDeclareOk: id(40, 11),
  exchangeUnbind: id(40, 40),
  exchangeUnbindOk: id(40, 51),
  queueDeclare: id(50, 10),
  queueDeclareOk: id(50, 11),
  queueBind: id(50, 20),
  queueBindOk: id(50, 21),
  queueDelete: id(50, 40),
  queueDeleteOk: id(50, 41),
  queueUnbind: id(50, 50),
  queueUnbindOk: id(50, 51),
  basicQos: id(60, 10),
  basicQosOk: id(60, 11),
  basicConsume: id(60, 20),
  basicConsumeOk: id(60, 21),
  basicCancel: id(60, 30),
  basicCancelOk: id(60, 31),
  basicDeliver: id(60, 60),
  basicAck: id(60, 80),
} as const;

/** Class and method number as text, as `10.10`. */
export function methodName(method: number): string {
  return `${method >>> 16}.${method & 0xffff}`;
}

function id(classNumber: number, number: number): number {
  return classNumber << 16 | number;
}

/** The first bytes of a connection (AMQP 0-9-1, 4.2.2). */
export const PROTOCOL_HEADER = new Uint8Array([...new TextEncoder().encode("AMQP"), 0, 0, 9, 1]);

export const HEARTBEAT = frame(FRAME.heartbeat, 0, () => {});

/** The broker answers every request. */
const NO_WAIT = false;

export interface QueueDeclaration {
  readonly queue: string;
  readonly passive?: boolean;
  readonly durable?: boolean;
  readonly exclusive?: boolean;
  readonly autoDelete?: boolean;
  readonly arguments?: FieldTable;
}

export interface QueueBinding {
  readonly queue: string;
  readonly exchange: string;
  readonly routingKey: string;
}

export interface ExchangeBinding {
  readonly destination: string;
  readonly source: string;
  readonly routingKey: string;
}

export interface Login {
  readonly user: string;
  readonly password: string;
  readonly properties: FieldTable;
}

export interface Tuning {
  readonly channelMax: number;
  readonly frameMax: number;
  readonly heartbeatSeconds: number;
}

type Bytes = Uint8Array<ArrayBuffer>;

export function startOk({ user, password, properties }: Login): Bytes {
  return method(
    0,
    METHOD.connectionStartOk,
    (fields) => fields.table(properties).shortText("PLAIN").longText(`\0${user}\0${password}`).shortText("en_US"),
  );
}

export function tuneOk({ channelMax, frameMax, heartbeatSeconds }: Tuning): Bytes {
  return method(0, METHOD.connectionTuneOk, (fields) => fields.u16(channelMax).u32(frameMax).u16(heartbeatSeconds));
}

export function connectionOpen(vhost: string): Bytes {
  return method(0, METHOD.connectionOpen, (fields) => fields.shortText(vhost).shortText("").bits(false));
}

/** The reply code and text of a normal close. */
export const DONE = { code: 200, text: "done" };

/** Closes a channel, or with channel 0 the connection. */
export function close(channel: number, { code, text }: { readonly code: number; readonly text: string }): Bytes {
  return method(
    channel,
    channel === 0 ? METHOD.connectionClose : METHOD.channelClose,
    (fields) => fields.u16(code).shortText(text).u16(0).u16(0),
  );
}

/** A method without fields. */
export function emptyMethod(channel: number, number: number): Bytes {
  return method(channel, number, () => {});
}

export function channelOpen(channel: number): Bytes {
  return method(channel, METHOD.channelOpen, (fields) => fields.shortText(""));
}

export function flowOk(channel: number, active: boolean): Bytes {
  return method(channel, METHOD.channelFlowOk, (fields) => fields.bits(active));
}

export function exchangeDeclarePassive(channel: number, exchange: string): Bytes {
  return method(channel, METHOD.exchangeDeclare, (fields) =>
    // A passive declaration ignores the type.
    fields.u16(0).shortText(exchange).shortText("direct").bits(true, false, false, false, NO_WAIT).table({}));
}

export function exchangeUnbind(channel: number, { destination, source, routingKey }: ExchangeBinding): Bytes {
  return method(
    channel,
    METHOD.exchangeUnbind,
    (fields) => fields.u16(0).shortText(destination).shortText(source).shortText(routingKey).bits(NO_WAIT).table({}),
  );
}

export function queueDeclare(channel: number, declaration: QueueDeclaration): Bytes {
  const { queue, passive = false, durable = false, exclusive = false, autoDelete = false } = declaration;
  return method(
    channel,
    METHOD.queueDeclare,
    (fields) =>
      fields.u16(0).shortText(queue).bits(passive, durable, exclusive, autoDelete, NO_WAIT)
        .table(declaration.arguments ?? {}),
  );
}

export function queueBind(channel: number, { queue, exchange, routingKey }: QueueBinding): Bytes {
  return method(
    channel,
    METHOD.queueBind,
    (fields) => fields.u16(0).shortText(queue).shortText(exchange).shortText(routingKey).bits(NO_WAIT).table({}),
  );
}

export function queueUnbind(channel: number, { queue, exchange, routingKey }: QueueBinding): Bytes {
  return method(
    channel,
    METHOD.queueUnbind,
    (fields) => fields.u16(0).shortText(queue).shortText(exchange).shortText(routingKey).table({}),
  );
}

/** Deletes a queue even if it has messages or consumers. */
export function queueDelete(channel: number, queue: string): Bytes {
  return method(channel, METHOD.queueDelete, (fields) => fields.u16(0).shortText(queue).bits(false, false, NO_WAIT));
}

/** The limit is per consumer: a limit per channel (global) is refused by RabbitMQ 4.3. */
export function basicQos(channel: number, prefetch: number): Bytes {
  return method(channel, METHOD.basicQos, (fields) => fields.u32(0).u16(prefetch).bits(false));
}

/** Registers a consumer with a consumer tag that the client chooses. */
export function basicConsume(
  channel: number,
  { queue, exclusive, consumerTag }: {
    readonly queue: string;
    readonly exclusive: boolean;
    readonly consumerTag: string;
  },
): Bytes {
  const [noLocal, noAck] = [false, false];
  return method(
    channel,
    METHOD.basicConsume,
    (fields) =>
      fields.u16(0).shortText(queue).shortText(consumerTag).bits(noLocal, noAck, exclusive, NO_WAIT).table({}),
  );
}

export function basicCancel(channel: number, consumerTag: string): Bytes {
  return method(channel, METHOD.basicCancel, (fields) => fields.shortText(consumerTag).bits(NO_WAIT));
}

/** Acknowledges all messages up to a tag (multiple). */
export function basicAck(channel: number, tag: number): Bytes {
  return method(channel, METHOD.basicAck, (fields) => fields.u64(tag).bits(true));
}

function method(channel: number, number: number, write: (fields: FieldWriter) => unknown): Bytes {
  return frame(FRAME.method, channel, (fields) => write(fields.u32(number)));
}

function frame(type: number, channel: number, write: (fields: FieldWriter) => unknown): Bytes {
  const fields = new FieldWriter().u8(type).u16(channel).u32(0);
  write(fields);
  fields.u8(0xce);
  const { written } = fields;
  new DataView(written.buffer).setUint32(3, written.byteLength - 8);
  return written;
}
