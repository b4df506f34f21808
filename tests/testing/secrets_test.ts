import assert from "node:assert/strict";
import { discreet } from "../../src/testing/secrets.ts";

const SECRET = `pa55"word ü`;

for (
  const [where, visible] of [
    ["an error's message", { error: new Error(`with ${SECRET}`) }],
    ["an error's cause", { error: new Error("x", { cause: new Error(SECRET) }) }],
    ["a property of an error", { error: Object.assign(new Error("x"), { options: { password: SECRET } }) }],
    ["what is no error", { error: { message: SECRET } }],
    ["base64", { preview: { headers: { authorization: `Basic ${new TextEncoder().encode(SECRET).toBase64()}` } } }],
    ["a URL", { preview: `https://h/?a=${encodeURIComponent(SECRET)}` }],
    ["a form", { log: [new URLSearchParams({ a: SECRET }).toString()] }],
    ["HTML", { error: new Error(SECRET.replaceAll('"', "&quot;")) }],
    ["HTML, as some write it", { error: new Error(SECRET.replaceAll('"', "&#34;")) }],
    ["JSON", { log: [JSON.stringify({ SECRET })] }],
    ["a public property", {
      plugin: new (class {
        readonly password = SECRET;
      })(),
    }],
  ] as const
) {
  Deno.test(`discreet() finds a secret in ${where}, and does not repeat it`, () => {
    assert.throws(() => discreet(visible, [SECRET]), (error: unknown) => {
      assert(error instanceof assert.AssertionError);
      return !error.message.includes("pa55");
    });
  });
}

Deno.test("discreet() passes what holds no secret", () => {
  const plugin = new (class {
    readonly #password = SECRET;
    length = () => this.#password.length;
  })();
  discreet({ error: new Error("x"), log: ["y"], preview: { headers: { authorization: "***" } }, plugin }, [SECRET]);
});
