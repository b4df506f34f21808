import assert from "node:assert/strict";
import { LazyClient } from "../../src/wire/lazy_client.ts";

Deno.test("a LazyClient loads its client once, at the first call, and closes it", async () => {
  let [loads, closed] = [0, 0];
  const client = { [Symbol.asyncDispose]: () => Promise.resolve(void closed++) };
  const lazy = new LazyClient(() => Promise.resolve((loads++, client)));
  assert.equal(loads, 0);

  assert.deepEqual(await Promise.all([lazy.loaded(), lazy.loaded()]), [client, client]);
  await lazy[Symbol.asyncDispose]();

  assert.deepEqual([loads, closed], [1, 1]);
});

Deno.test("a LazyClient that was not used has nothing to close, and loads nothing for that", async () => {
  const lazy = new LazyClient<object>(() => Promise.reject(new Error("loaded")));
  await lazy[Symbol.asyncDispose]();
});

Deno.test("a LazyClient throws why a module cannot be loaded, and tries again at the next call", async () => {
  const causes = [new TypeError("Module not found")];
  const lazy = new LazyClient(async () => {
    const cause = causes.pop();
    if (cause !== undefined) throw cause;
    return await Promise.resolve({});
  });

  await assert.rejects(lazy.loaded(), { name: "TypeError", message: "Module not found" });
  await lazy[Symbol.asyncDispose]();

  assert.deepEqual(await lazy.loaded(), {});
});
