import { AmqpError, replyError } from "./amqp_error.ts";
import { PendingCalls } from "./pending_calls.ts";
import { FRAME, type Frame } from "./frame_reader.ts";
import { type Delivery, MessageAssembler } from "./message_assembler.ts";
import * as methods from "./methods.ts";
import { type ExchangeBinding, METHOD, type QueueBinding, type QueueDeclaration } from "./methods.ts";

/** The methods of the connection that a channel uses. */
export interface ChannelHost {
  send(frame: Uint8Array): void;
  /** Frees the channel's number. */
  release(channel: Channel): void;
}

export interface ChannelOptions {
  /**
   * Called once, when the broker has closed the channel or the connection is lost; not after
   * {@linkcode Channel.close}.
   */
  readonly onGone?: (error: unknown) => void;
  /**
   * Called when the broker has cancelled the consumer: its queue was deleted or moved to another
   * node.
   */
  readonly onCancelled?: () => void;
}

export interface Consumer {
  readonly queue: string;
  readonly exclusive: boolean;
  /** Called for each message, in order, while its bytes are in the read buffer. Must not throw. */
  readonly onDelivery: (delivery: Delivery) => void;
}

const CLOSED = "the channel was closed";

/** A channel has a single consumer, so that the tag can be fixed. */
const CONSUMER_TAG = "oss-watcher";

/**
 * One channel of a connection. The broker closes it with its first refusal; the refused call
 * rejects with that error.
 */
export class Channel {
  readonly id: number;
  readonly #host: ChannelHost;
  readonly #options: ChannelOptions;
  readonly #pending = new PendingCalls();
  readonly #assembler = new MessageAssembler();
  #onDelivery: ((delivery: Delivery) => void) | null = null;
  #state: "open" | "closing" | "closed" = "open";

  constructor(id: number, host: ChannelHost, options: ChannelOptions) {
    this.id = id;
    this.#host = host;
    this.#options = options;
  }

  get open(): boolean {
    return this.#state === "open";
  }

  /** Must be called once, before anything else. */
  begin(): Promise<void> {
    return this.#ask(methods.channelOpen(this.id), METHOD.channelOpenOk);
  }

  queueDeclare(
    declaration: QueueDeclaration,
  ): Promise<{ readonly messageCount: number; readonly consumerCount: number }> {
    return this.#call(methods.queueDeclare(this.id, declaration), METHOD.queueDeclareOk, (frame) => {
      frame.skipShortText();
      return { messageCount: frame.u32(), consumerCount: frame.u32() };
    });
  }

  queueDelete({ queue }: { readonly queue: string }): Promise<void> {
    return this.#ask(methods.queueDelete(this.id, queue), METHOD.queueDeleteOk);
  }

  queueBind(binding: QueueBinding): Promise<void> {
    return this.#ask(methods.queueBind(this.id, binding), METHOD.queueBindOk);
  }

  queueUnbind(binding: QueueBinding): Promise<void> {
    return this.#ask(methods.queueUnbind(this.id, binding), METHOD.queueUnbindOk);
  }

  exchangeUnbind(binding: ExchangeBinding): Promise<void> {
    return this.#ask(methods.exchangeUnbind(this.id, binding), METHOD.exchangeUnbindOk);
  }

  /** Checks that an exchange exists (passive declaration). */
  exchangeDeclare({ exchange }: { readonly exchange: string; readonly passive: true }): Promise<void> {
    return this.#ask(methods.exchangeDeclarePassive(this.id, exchange), METHOD.exchangeDeclareOk);
  }

  /**
   * Sets the maximum number of unacknowledged messages of a consumer that is registered afterwards.
   */
  qos(prefetch: number): Promise<void> {
    return this.#ask(methods.basicQos(this.id, prefetch), METHOD.basicQosOk);
  }

  consume({ queue, exclusive, onDelivery }: Consumer): Promise<void> {
    // The read that brings the answer may bring messages too.
    this.#onDelivery = onDelivery;
    const consumer = { queue, exclusive, consumerTag: CONSUMER_TAG };
    return this.#ask(methods.basicConsume(this.id, consumer), METHOD.basicConsumeOk);
  }

  /**
   * Cancels the consumer: nothing is delivered after it has resolved. Messages that were delivered
   * before can still be acknowledged.
   */
  cancel(): Promise<void> {
    return this.#call(methods.basicCancel(this.id, CONSUMER_TAG), METHOD.basicCancelOk, () => {
      this.#onDelivery = null;
    });
  }

  /** Acknowledges all messages up to a tag. */
  ackThrough(tag: number): void {
    if (this.open) this.#host.send(methods.basicAck(this.id, tag));
  }

  /** Closes the channel, after pending acknowledgements were sent. Never rejects. */
  async close(): Promise<void> {
    if (!this.open) return;
    this.#state = "closing";
    this.#host.send(methods.close(this.id, methods.DONE));
    try {
      await this.#pending.expect(METHOD.channelCloseOk, () => this.#host.release(this));
    } catch {
      // The connection was lost: the channel is closed anyway.
    }
    this.#end(new Error(CLOSED));
  }

  /** Called when the connection is lost. */
  connectionLost(error: unknown): void {
    this.#end(error);
  }

  /** @throws {AmqpError} when this frame is not allowed in the channel's state. */
  onFrame(frame: Frame): void {
    if (frame.type === FRAME.body) this.#deliver(this.#assembler.body(frame));
    else if (frame.type === FRAME.header) this.#deliver(this.#assembler.header(frame));
    else this.#onMethod(frame);
  }

  #onMethod(frame: Frame): void {
    if (!this.#assembler.idle) throw new AmqpError("UNEXPECTED_FRAME", "a method came in the middle of a message");
    const method = frame.u32();
    if (method === METHOD.basicDeliver) this.#assembler.begin(frame);
    else if (method === METHOD.channelClose) this.#onClose(replyError(frame.u16(), frame.shortText()));
    else if (method === METHOD.channelCloseOk && this.#state === "closed") this.#host.release(this);
    else if (method === METHOD.basicCancel) this.#onCancel();
    else if (method === METHOD.channelFlow) this.#host.send(methods.flowOk(this.id, frame.u8() !== 0));
    else this.#pending.answer(method, frame);
  }

  #deliver(delivery: Delivery | null): void {
    if (delivery === null || !this.open) return;
    if (this.#onDelivery === null) throw new AmqpError("UNEXPECTED_FRAME", "a message came without a consumer");
    this.#onDelivery(delivery);
  }

  #onCancel(): void {
    this.#onDelivery = () => {};
    if (this.open) this.#options.onCancelled?.();
  }

  #onClose(error: AmqpError): void {
    this.#host.send(methods.emptyMethod(this.id, METHOD.channelCloseOk));
    // If we have sent a close as well, the number is in use until the broker answers it.
    if (this.#state === "open") this.#host.release(this);
    this.#end(error);
  }

  #end(error: unknown): void {
    const wasOpen = this.open;
    this.#state = "closed";
    this.#onDelivery = null;
    this.#pending.fail(error);
    if (wasOpen) this.#options.onGone?.(error);
  }

  #ask(request: Uint8Array, reply: number): Promise<void> {
    return this.#call(request, reply, () => {});
  }

  #call<T>(request: Uint8Array, reply: number, read: (frame: Frame) => T): Promise<T> {
    if (this.#state === "closing") return Promise.reject(new Error(CLOSED));
    const answer = this.#pending.expect(reply, read);
    if (this.open) this.#host.send(request);
    return answer;
  }
}
