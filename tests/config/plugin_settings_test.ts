import assert from "node:assert/strict";
import { settingsOf } from "../../src/config/plugin_settings.ts";
import { withShortTexts } from "../../src/console/worker/short_texts.ts";
import { RestNotify } from "../../plugins/rest_notify.ts";
import { when } from "../../src/wire/options/when.ts";
import { asVariable } from "../../src/wire/secrets/env.ts";

Deno.test("settingsOf() shows a plugin's options without secrets", () => {
  asVariable("SETTINGS_TOKEN", "hush-4711-sesame");
  const plugin = new RestNotify({
    name: "Cmdb",
    host: "https://cmdb.example.com",
    user: "demo",
    password: "hush-1",
    urlCreation: "/hook?key=hush-4711-sesame",
    urlDeletion: "https://other.example.com/x?token=hush-3",
    headers: { "X-Api-Key": "hush-5", "X-Site": "a" },
    body: (detail) => detail,
  });
  const { kind, options } = settingsOf(plugin, "Cmdb");
  assert.equal(kind, "RestNotify");
  assert.deepEqual(options, {
    host: "https://cmdb.example.com/",
    user: "demo",
    password: "***",
    urlCreation: "/hook?key=***",
    urlDeletion: "https://other.example.com/x?token=***",
    headers: { "X-Api-Key": "***", "X-Site": "a" },
    body: "(a function)",
  });
});

Deno.test("settingsOf() shows the fields of a plugin that has taken its options without help", () => {
  class Own {
    readonly name = "Own";
    readonly room = "4.12";
    readonly apiToken = "hush";
    readonly deep = { a: { b: { c: { d: { e: { f: 1 } } } } } };
    readonly #hidden = "hush";
    notify(): void {
      assert.ok(this.#hidden);
    }
  }
  assert.deepEqual(settingsOf(new Own(), "Own"), {
    kind: "Own",
    options: { room: "4.12", apiToken: "***", deep: { a: { b: { c: { d: { e: "…" } } } } } },
  });
  assert.deepEqual(settingsOf({ notify() {} }, "plain"), { kind: "Object", options: { notify: "(a function)" } });
});

Deno.test("settingsOf() shows the settings of a plugin behind filters, and theirs", () => {
  const plugin = new RestNotify({
    name: "Cmdb",
    urlCreation: "https://a.example.com",
    urlDeletion: "https://b.example.com",
  });
  const options = { urlCreation: "https://a.example.com/", urlDeletion: "https://b.example.com/" };
  const filtered = when(plugin, { projects: ["web"], match: () => true });
  assert.deepEqual(settingsOf(filtered, "Cmdb"), {
    kind: "RestNotify",
    options: { ...options, when: { projects: ["web"], match: "(a function)" } },
  });
  assert.deepEqual(settingsOf(when(filtered, { created: true }), "Cmdb"), {
    kind: "RestNotify",
    options: { ...options, when: [{ created: true }, { projects: ["web"], match: "(a function)" }] },
  });
});

Deno.test("withShortTexts() cuts texts, and neither keys nor characters", () => {
  const long = "😀".repeat(1000);
  const short = withShortTexts({ rows: [{ key: long, name: long, at: 1, reason: null }] });
  assert.equal(short.rows[0]!.key, long);
  assert.equal(short.rows[0]!.name.length, 501);
  assert.ok(short.rows[0]!.name.isWellFormed());
  assert.equal(withShortTexts({ name: `a${long}` }).name.at(-2), "\ufffd");
});
