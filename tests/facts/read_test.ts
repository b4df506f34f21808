import assert from "node:assert/strict";
import { novaObject, number, object, objects, text } from "../../src/facts/read.ts";

const EVERY_KIND = [undefined, null, true, 7, "x", "", [], [{}], {}, { a: 1 }];

Deno.test("text() gives texts that say something", () => {
  assert.deepEqual(EVERY_KIND.map(text), [null, null, null, null, "x", null, null, null, null, null]);
});

Deno.test("number() gives finite numbers, also from text", () => {
  assert.deepEqual(EVERY_KIND.map(number), [null, null, null, 7, null, null, null, null, null, null]);
  assert.deepEqual(["2048", " 5 ", "-1.5", "1e400", " ", JSON.parse("1e400")].map(number), [
    2048,
    5,
    -1.5,
    null,
    null,
    null,
  ]);
});

Deno.test("object() gives objects, and an empty one for everything else", () => {
  assert.deepEqual(EVERY_KIND.map(object), [{}, {}, {}, {}, {}, {}, {}, {}, {}, { a: 1 }]);
});

Deno.test("objects() gives the objects of a list", () => {
  assert.deepEqual(objects([{ a: 1 }, null, [], 7, "x", {}]), [{ a: 1 }, {}]);
  assert.deepEqual([undefined, null, {}, "x"].map(objects), [[], [], [], []]);
});

Deno.test("novaObject() gives the data of a versioned object, or a plain object itself", () => {
  assert.deepEqual(novaObject({ "nova_object.name": "X", "nova_object.data": { a: 1 } }), { a: 1 });
  assert.deepEqual(novaObject({ a: 1 }), { a: 1 });
  assert.deepEqual(novaObject({ "nova_object.data": [], a: 1 }), { "nova_object.data": [], a: 1 });
  assert.deepEqual(novaObject(null), {});
});
