import assert from "node:assert/strict";
import * as fc from "fast-check";
import { DeliveryError, type Detail, PermanentError } from "../../mod.ts";
import { Webhook } from "../../plugins/webhook.ts";
import { chatBody, type ChatLine, chatLine } from "../../plugins/webhook_message.ts";
import type { WebhookChat } from "../../plugins/webhook_options.ts";
import { TestServer } from "../wire/server.ts";
import { context, detail, updateContext } from "./notification.ts";

const never = new AbortController().signal;

function named(name: string): Detail {
  return { ...detail, FQDN: name };
}

function line(text: string): ChatLine {
  return { key: "server/a/creation", kind: "creation", subject: "server", time: "2026-11-30T12:00:00Z", text };
}

function textsOf({ requests }: TestServer): string[] {
  return requests.map(({ body }) => JSON.parse(body).text);
}

Deno.test("what comes close together is one message, a line each, and equal lines are said once", async () => {
  await using server = new TestServer();
  await using plugin = new Webhook({ chat: "json", url: `${server.url}/hook`, everySeconds: 0.2 });
  await Promise.all([
    plugin.notify(named("a.example"), true, context({ key: "server/a/creation" })),
    plugin.notify(named("b.example"), true, context({ key: "server/b/creation" })),
    plugin.notify(named("b.example"), true, context({ key: "server/c/creation" })),
  ]);
  assert.deepEqual(textsOf(server), ["Server created: a.example\nServer created: b.example"]);
  const { events } = JSON.parse(server.requests[0]?.body ?? "");
  assert.deepEqual(events.map(({ key }: { key: string }) => key), [
    "server/a/creation",
    "server/b/creation",
    "server/c/creation",
  ]);
});

Deno.test("an event is done when its message was taken, and fails with it", async () => {
  const answer = Promise.withResolvers<Response>();
  await using server = new TestServer(() => answer.promise);
  await using plugin = new Webhook({ chat: "slack", url: `${server.url}/hook`, everySeconds: 0 });
  const told = [plugin.notify(named("a"), true, context()), plugin.notify(named("b"), true, context())];
  answer.resolve(new Response("later", { status: 429, headers: { "retry-after": "3" } }));
  for (const { status, reason } of await Promise.allSettled(told) as PromiseRejectedResult[]) {
    assert.equal(status, "rejected");
    assert.ok(reason instanceof DeliveryError);
    assert.deepEqual([reason.reason, reason.retryAfterMs], ["rate_limited", 3000]);
  }
});

Deno.test("what a chat refuses for good is found: the others of its message are told", async () => {
  await using server: TestServer = new TestServer(() =>
    new Response(null, { status: server.requests.at(-1)!.body.includes("poison") ? 400 : 200 })
  );
  await using plugin = new Webhook({ chat: "mattermost", url: `${server.url}/hook`, everySeconds: 0.1 });
  const results = await Promise.allSettled(
    ["a", "poison", "b"].map((name) => plugin.notify(named(name), true, context({ key: name }))),
  );
  assert.deepEqual(results.map(({ status }) => status), ["fulfilled", "rejected", "fulfilled"]);
  assert.equal(server.requests.length, 4);
});

Deno.test("a webhook that is not there is asked once for a message, not for each of its events", async () => {
  await using server = new TestServer(() => new Response(null, { status: 404 }));
  await using plugin = new Webhook({ chat: "json", url: `${server.url}/hook`, everySeconds: 0.1 });
  const told = ["a", "b", "c"].map((name) => plugin.notify(named(name), true, context({ key: name })));
  for (const { status } of await Promise.allSettled(told)) assert.equal(status, "rejected");
  assert.equal(server.requests.length, 1);
});

Deno.test("an attempt that is given up leaves the message to the others", async () => {
  await using server = new TestServer();
  await using plugin = new Webhook({ chat: "json", url: `${server.url}/hook`, everySeconds: 0.3 });
  const stop = new AbortController();
  const given = plugin.notify(named("a"), true, context({ signal: stop.signal }));
  const other = plugin.notify(named("b"), true, context({ signal: never }));
  stop.abort(new Error("enough"));
  await assert.rejects(given, /enough/);
  await other;
  assert.deepEqual(textsOf(server), ["Server created: b"]);
});

Deno.test("an attempt that is given up while the message before it is on its way is not told", async () => {
  const [arrived, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<Response>()];
  await using server = new TestServer(() => {
    arrived.resolve();
    return answer.promise.then((response) => response.clone());
  });
  await using plugin = new Webhook({ chat: "json", url: `${server.url}/hook`, everySeconds: 0 });
  const stop = new AbortController();
  const first = plugin.notify(named("a"), true, context());
  await arrived.promise;
  const given = plugin.notify(named("b"), true, context({ signal: stop.signal }));
  await new Promise((resolve) => setTimeout(resolve, 20));
  stop.abort(new Error("enough"));
  await assert.rejects(given, /enough/);
  answer.resolve(new Response());
  await first;
  await plugin.notify(named("c"), true, context());
  assert.deepEqual(textsOf(server), ["Server created: a", "Server created: c"]);
});

Deno.test({
  name: "no timer is left when the attempts that waited have ended",
  sanitizeOps: true,
  sanitizeResources: true,
  fn: async () => {
    const plugin = new Webhook({ chat: "json", url: "http://127.0.0.1:1/hook", everySeconds: 20 });
    const stop = new AbortController();
    const told = plugin.notify(named("a"), true, context({ signal: stop.signal }));
    stop.abort(new Error("enough"));
    await assert.rejects(told, /enough/);
  },
});

Deno.test("when the service stops, what waits is sent at once", async () => {
  await using server = new TestServer();
  const plugin = new Webhook({ chat: "json", url: `${server.url}/hook`, everySeconds: 20 });
  const told = plugin.notify(named("a"), true, context());
  await plugin[Symbol.asyncDispose]();
  await told;
  assert.equal(server.requests.length, 1);
});

Deno.test("a text of one's own is told; one that fails is a permanent error", async () => {
  await using server = new TestServer();
  const url = `${server.url}/hook`;
  await using good = new Webhook({
    chat: "json",
    url,
    everySeconds: 0,
    text: ({ FQDN }) => `:tada: ${FQDN}\nsecond line`,
  });
  await good.notify(named("a\r\nb"), true, context());
  assert.deepEqual(textsOf(server), [":tada: a\\u{d}\nb\nsecond line"]);
  await using bad = new Webhook({ chat: "json", url, everySeconds: 0, text: () => 5 as unknown as string });
  await assert.rejects(bad.notify(detail, true, context()), (error: unknown) => {
    assert.ok(error instanceof PermanentError);
    assert.match(error.message, /text of Webhook.*the number 5/);
    return true;
  });
});

Deno.test("a text that is cut is still one: no half of a character is sent", () => {
  for (const text of [() => `${"x".repeat(1998)}😀😀`, () => `${"x".repeat(2000)}😀`]) {
    const said = chatLine(detail, { created: true, context: context(), text, plugin: "Webhook" }).text;
    assert.ok(said.isWellFormed() && said.length <= 2000 && said.endsWith("…"), JSON.stringify(said.slice(-20)));
  }
  const before = { ...detail, Description: "" };
  const updated = { ...detail, Description: `${"x".repeat(98)}😀😀` };
  const update = updateContext({ before, changed: ["Description"] });
  const said = chatLine(updated, { created: true, context: update, text: undefined, plugin: "Webhook" }).text;
  assert.ok(said.isWellFormed() && said.includes("x…"), JSON.stringify(said));
});

const hostile = fc.array(
  fc.oneof(
    fc.constantFrom(
      "<!channel>",
      "@all",
      "@channel",
      "```",
      "``````",
      "[x](javascript:1)",
      "https://evil.example",
      "\n",
      "&lt;",
    ),
    fc.string({ unit: "grapheme" }),
  ),
).map((parts) => parts.join(""));

function blocksOf(body: unknown, chat: WebhookChat): string {
  return JSON.stringify(chatBody([line(String(body))], chat));
}

Deno.test("nothing in a text mentions, links or formats, in any chat", () => {
  fc.assert(fc.property(hostile, (text) => {
    const slack = JSON.parse(blocksOf(text, "slack"));
    assert.doesNotMatch(slack.text, /[<>]/);
    assert.deepEqual([slack.mrkdwn, slack.parse, slack.unfurl_links, slack.unfurl_media], [
      false,
      "none",
      false,
      false,
    ]);
    const decoded = slack.text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
    assert.equal(decoded, text);

    const [open, ...rest] = JSON.parse(blocksOf(text, "mattermost")).text.split("\n");
    const fence = /^`{3,}(?=text$)/.exec(open)?.[0] ?? assert.fail(open);
    assert.equal(rest.pop(), fence);
    // CommonMark: only a line of at least as many backticks ends the block.
    assert.ok(!rest.some((each: string) => each.includes(fence)));
    assert.equal(rest.join("\n"), text);

    const card = JSON.parse(blocksOf(text, "teams")).attachments[0].content;
    for (const { type, inlines } of card.body) {
      assert.equal(type, "RichTextBlock");
      assert.deepEqual(inlines.map((inline: { type: string }) => inline.type), ["TextRun"]);
    }
    assert.equal(card.body.map(({ inlines: [run] }: { inlines: { text: string }[] }) => run!.text).join("\n"), text);
  }));
});
