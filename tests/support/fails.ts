import assert from "node:assert/strict";
import { DeliveryError, type FailureReason } from "../../mod.ts";

/** Fails unless the work fails in this way, without a secret of the tests: each has `hush` or `guess` in it. */
export async function fails(
  work: Promise<void>,
  reason: FailureReason | "PermanentError",
  text: RegExp,
): Promise<void> {
  await assert.rejects(work, (error: unknown) => {
    assert(error instanceof Error);
    assert.match(error.message, text);
    assert.doesNotMatch(Deno.inspect(error, { depth: 9 }), /hush|guess/);
    assert.equal(error instanceof DeliveryError ? error.reason : error.name, reason, error.message);
    return true;
  });
}
