import assert from "node:assert/strict";
import { CloudEvent, HTTP } from "cloudevents";
import { AmqpPublish, EventLog, RestNotify } from "../../plugins/mod.ts";
import type { Detail, Json, NotifyContext, UpdateContext } from "../../mod.ts";
import { CLOUD_EVENT_FORMATS } from "../../src/kit/mod.ts";
import { sampleEvent, sampleUpdate } from "../../src/testing/mod.ts";

const SOURCE = "https://cloud.example.com/region-1";
const HOSTILE = { FQDN: 'evil"\r\nX-Injected: 1 ü %41', Metadata: { "ce-id": "other", "\u0000": "\ud83d\ude80" } };

interface Told {
  readonly detail: Detail;
  readonly context: NotifyContext | UpdateContext;
  readonly type: string;
  readonly subject: string;
}

const SERVER = "server/00000001-debe-43ae-a555-28a4a5d84694";
const FLOATING_IP = "floatingip/00000001-2222-4a4a-8b8b-0d0f3c2a1e11";

const EVENTS: readonly Told[] = [
  { ...sampleEvent({ detail: HOSTILE }), type: "org.openstack.server.created", subject: SERVER },
  { ...sampleUpdate({ detail: HOSTILE }), type: "org.openstack.server.updated", subject: SERVER },
  { ...sampleEvent({ created: false }), type: "org.openstack.server.deleted", subject: SERVER },
  { ...sampleEvent({ subject: "floatingip" }), type: "org.openstack.floatingip.associated", subject: FLOATING_IP },
  {
    ...sampleEvent({ subject: "floatingip", created: false }),
    type: "org.openstack.floatingip.disassociated",
    subject: FLOATING_IP,
  },
];

/** An HTTP server that reads what it gets with the SDK of CloudEvents. */
class SdkReceiver implements AsyncDisposable {
  readonly events: CloudEvent<unknown>[] = [];
  readonly faults: unknown[] = [];
  readonly #server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    try {
      const headers = Object.fromEntries(request.headers);
      const event = HTTP.toEvent({ headers, body: await request.text() }) as CloudEvent<unknown>;
      event.validate();
      this.events.push(event);
      return new Response(null, { status: 204 });
    } catch (error) {
      this.faults.push(error);
      return new Response(null, { status: 400 });
    }
  });

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}/events`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

for (const format of CLOUD_EVENT_FORMATS) {
  Deno.test(`RestNotify sends ${format} that the SDK of CloudEvents reads`, async () => {
    await using receiver = new SdkReceiver();
    const { url } = receiver;
    await using plugin = new RestNotify({
      ...{ urlCreation: url, urlDeletion: url, urlUpdate: url, methodUpdate: "POST" },
      ...{ format, source: SOURCE },
    });
    for (const { detail, context } of EVENTS) await tell(plugin, detail, context);
    assert.deepEqual(receiver.faults, []);
    for (const [index, { detail, context, type, subject }] of EVENTS.entries()) {
      const event = receiver.events[index]!;
      assert.deepEqual(
        [event.id, event.type, event.source, event.subject, event.specversion, event.datacontenttype],
        [context.key, type, SOURCE, subject, "1.0", "application/json"],
      );
      assert.equal(event.time, context.time);
      assert.equal(Number(event["sequence"]), context.sequence);
      assert.equal(event["changed"], context.kind === "update" ? context.changed.join(",") : undefined);
      assert.deepEqual(event.data, detail);
    }
  });
}

async function tell(plugin: RestNotify, detail: Detail, context: NotifyContext | UpdateContext): Promise<void> {
  if (context.kind === "update") await plugin.update?.(detail, context);
  else await plugin.notify(detail, context.kind === "creation", context);
}

Deno.test("EventLog writes CloudEvents that the SDK reads", () => {
  const plugin = new EventLog({ format: "cloudevents" });
  for (const { detail, context, type } of EVENTS) {
    const line = context.kind === "update"
      ? plugin.previewUpdate(detail, context)
      : plugin.preview(detail, context.kind === "creation", context);
    const event = new CloudEvent(line as object);
    event.validate();
    assert.deepEqual([event.type, event.id, event.source, event.data], [type, context.key, "/oss-watcher", detail]);
  }
});

Deno.test("AmqpPublish publishes CloudEvents, structured and with attributes as headers", () => {
  const [{ detail, context }] = EVENTS as [Told];
  const published = (format: (typeof CLOUD_EVENT_FORMATS)[number]) => {
    const plugin = new AmqpPublish({ url: "amqp://localhost", exchange: "cloud", format, source: SOURCE });
    const message = plugin.preview(detail, true, context as NotifyContext) as Readonly<Record<string, Json>>;
    return message as unknown as {
      readonly properties: { readonly content_type: string; readonly headers: Readonly<Record<string, unknown>> };
      readonly body: object;
    };
  };
  const structured = published("cloudevents");
  assert.equal(structured.properties.content_type, "application/cloudevents+json");
  new CloudEvent(structured.body).validate();
  const binary = published("cloudevents-binary");
  assert.equal(binary.properties.content_type, "application/json");
  assert.deepEqual(binary.body, JSON.parse(JSON.stringify(detail)));
  const prefix = "cloudEvents:";
  const attributes = Object.entries(binary.properties.headers).filter(([name]) => name.startsWith(prefix));
  const event = new CloudEvent({
    ...Object.fromEntries(attributes.map(([name, value]) => [name.slice(prefix.length), value])),
    data: binary.body,
  });
  event.validate();
  assert.deepEqual([event.id, event.source, event.sequence], [context.key, SOURCE, "0000000000000001"]);
});

Deno.test("RestNotify, AmqpPublish and EventLog name what is wrong with the options of CloudEvents", () => {
  const urls = { urlCreation: "http://a/", urlDeletion: "http://a/" };
  const wrong = { format: "cloudevent", source: "two words" };
  // deno-lint-ignore no-explicit-any -- a mistake in config.ts
  const any = wrong as any;
  assert.throws(() => new RestNotify({ ...urls, ...any }), /format: must be "cloudevents"[^]*source: must be a URI/);
  assert.throws(() => new RestNotify({ ...urls, format: "cloudevents", body: "json" }), /format: stands beside body/);
  assert.throws(() => new RestNotify({ ...urls, source: SOURCE }), /source: needs format/);
  assert.throws(() => new AmqpPublish({ url: "amqp://a", exchange: "e", ...any }), /format: must be "cloudevents"/);
  assert.throws(() => new EventLog({ source: SOURCE }), /source: needs format: "cloudevents"/);
});
