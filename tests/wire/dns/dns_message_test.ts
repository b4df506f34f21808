import assert from "node:assert/strict";
import * as fc from "fast-check";
import { decodeMessage, encodeMessage, type RawMessage } from "../../../src/wire/dns/dns_message.ts";
import { recordOf } from "../../../src/wire/dns/dns_record.ts";

const PLAIN = { noNullPrototype: true } as const;
const name = fc.constantFrom("", "a", "web-1.example.com", "_x.example.com", "a\\.b.c", "\\000\\255.d");
const u16 = fc.integer({ min: 0, max: 0xffff });
const question = fc.record({ name, type: u16, class: u16 }, PLAIN);
// Types whose data holds names are left out: their data is not any bytes.
const record = fc.record({
  name,
  type: fc.constantFrom(1, 16, 28, 33, 250, 65280),
  class: u16,
  ttl: fc.integer({ min: 0, max: 0xffffffff }),
  data: fc.uint8Array({ maxLength: 40 }),
}, PLAIN);
const message: fc.Arbitrary<RawMessage> = fc.record({
  id: u16,
  isAnswer: fc.boolean(),
  opcode: fc.integer({ min: 0, max: 15 }),
  isAuthoritative: fc.boolean(),
  isTruncated: fc.boolean(),
  rcode: fc.integer({ min: 0, max: 15 }),
  questions: fc.array(question, { maxLength: 2 }),
  answers: fc.array(record, { maxLength: 3 }),
  authorities: fc.array(record, { maxLength: 3 }),
  additionals: fc.array(record, { maxLength: 2 }),
}, PLAIN);

Deno.test("decodeMessage() reads what encodeMessage() writes", () => {
  fc.assert(fc.property(message, (one) => assert.deepEqual(decodeMessage(encodeMessage(one)), one)));
});

Deno.test("decodeMessage() of a message that was changed or cut, or of any bytes, ends with a SyntaxError or a message", () => {
  const changed = fc.tuple(message, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 5 }), fc.nat()).map(
    ([one, changes, cut]) => {
      const bytes = encodeMessage(one);
      for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
      return bytes.subarray(0, cut % 3 === 0 ? cut % bytes.length : bytes.length);
    },
  );
  fc.assert(
    fc.property(fc.oneof(changed, fc.uint8Array({ maxLength: 200 })), (bytes) => {
      try {
        const { answers, authorities } = decodeMessage(bytes);
        for (const one of [...answers, ...authorities]) recordOf(one);
      } catch (error) {
        assert(error instanceof SyntaxError, String(error));
      }
    }),
    { numRuns: 3000 },
  );
});
