import assert from "node:assert/strict";
import fc from "fast-check";
import { Outbox } from "../../../src/rabbitmq/amqp/outbox.ts";

Deno.test("Outbox sends what one turn brings in one go", async () => {
  const writes: string[] = [];
  const outbox = new Outbox({ write: (bytes) => Promise.resolve(void writes.push(bytes.join(""))), onFailed: fail });
  for (const byte of [1, 2, 3]) outbox.push(new Uint8Array([byte]));
  await outbox.sent();
  outbox.push(new Uint8Array([4]));
  await outbox.sent();
  assert.deepEqual(writes, ["123", "4"]);
  assert.equal(outbox.count, 4);
});

Deno.test("Outbox sends everything in order, whenever it comes", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(6), { minLength: 1, maxLength: 40 }), async (pauses) => {
      const written: number[] = [];
      const write = async (bytes: Uint8Array) => {
        for (let turn = 0; turn < bytes.byteLength % 3; turn++) await null;
        written.push(...bytes);
      };
      const outbox = new Outbox({ write, onFailed: fail });
      for (const [index, pause] of pauses.entries()) {
        outbox.push(new Uint8Array([index]));
        for (let turn = 0; turn < pause; turn++) await null;
      }
      await outbox.sent();
      assert.deepEqual(written, pauses.map((_, index) => index));
    }),
  );
});

Deno.test("Outbox tells why nothing can be sent any more", async () => {
  const failures: unknown[] = [];
  const outbox = new Outbox({
    write: () => Promise.reject(new Error("reset")),
    onFailed: (error) => failures.push((error as Error).message),
  });
  outbox.push(new Uint8Array(1));
  await outbox.sent();
  assert.deepEqual(failures, ["reset"]);
});

function fail(error: unknown): never {
  throw error;
}
