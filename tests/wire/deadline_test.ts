import assert from "node:assert/strict";
import { Deadline, unlessAborted } from "../../src/wire/deadline.ts";

const never = new Promise<never>(() => {});

Deno.test("Deadline.race() gives what the work gives, and fails as it fails", async () => {
  using deadline = new Deadline(new AbortController().signal, 60);
  assert.equal(await deadline.race(Promise.resolve(1)), 1);
  await assert.rejects(deadline.race(Promise.reject(new Error("no"))), /^Error: no$/);
});

Deno.test("Deadline.race() ends when the signal is aborted, and failure() says interrupted", async () => {
  const stop = new AbortController();
  using deadline = new Deadline(stop.signal, 60);
  const work = deadline.race(never);
  stop.abort(new DOMException("the service stops", "AbortError"));
  await assert.rejects(work, { name: "AbortError" });
  const { reason, message, cause } = deadline.failure("Cannot x");
  assert.deepEqual([reason, message, cause], ["interrupted", "Cannot x: interrupted", stop.signal.reason]);
});

Deno.test("Deadline.failure() says timeout when the signal was aborted by one", () => {
  const signal = AbortSignal.abort(new DOMException("the attempt takes too long", "TimeoutError"));
  using deadline = new Deadline(signal, 60);
  const { reason, message } = deadline.failure("Cannot x");
  assert.deepEqual([reason, message], ["timeout", "Cannot x: the attempt takes too long"]);
});

Deno.test("unlessAborted() leaves no listener behind", async () => {
  const { signal } = new AbortController();
  let listeners = 0;
  const counted = Object.assign(Object.create(signal), {
    addEventListener: () => listeners++,
    removeEventListener: () => listeners--,
  });
  Object.defineProperty(counted, "aborted", { value: false });
  for (let call = 0; call < 10; call++) await unlessAborted(counted, Promise.resolve());
  assert.equal(listeners, 0);
});
