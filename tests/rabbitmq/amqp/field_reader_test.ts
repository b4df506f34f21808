import assert from "node:assert/strict";
import fc from "fast-check";
import { AmqpError } from "../../../src/rabbitmq/amqp/amqp_error.ts";
import { FieldReader } from "../../../src/rabbitmq/amqp/field_reader.ts";
import { UserError } from "../../../src/model/errors.ts";
import { type FieldTable, type FieldValue, FieldWriter } from "../../../src/rabbitmq/amqp/field_writer.ts";

const NAME = fc.string({ unit: "binary", maxLength: 40 });
const { table: TABLE } = fc.letrec<{ table: FieldTable; value: FieldValue }>((tie) => ({
  table: fc.dictionary(NAME, tie("value"), { maxKeys: 6 }),
  value: fc.oneof(
    { depthSize: "small" },
    fc.string({ unit: "binary" }),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double(),
    fc.boolean(),
    tie("table"),
  ),
}));

Deno.test("FieldReader reads what FieldWriter wrote", () => {
  const text = fc.string({ unit: "binary", maxLength: 60 });
  fc.assert(
    fc.property(fc.nat(0xff), fc.nat(0xffff), fc.nat(2 ** 32 - 1), fc.maxSafeNat(), text, text, (a, b, c, d, e, f) => {
      const reader = over(
        new FieldWriter().u8(a).u16(b).u32(c).u64(d).shortText(e).longText(f).bits(true, false, true),
      );
      const read = [reader.u8(), reader.u16(), reader.u32(), reader.u64(), reader.shortText(), reader.longText()];
      assert.deepEqual([...read, reader.u8()], [a, b, c, d, e, f, 5]);
      assert.equal(reader.at, reader.end);
    }),
  );
});

Deno.test("FieldReader.shortText() tells texts apart, however alike they are", () => {
  const alike = fc.array(fc.constantFrom("a", "b", "\u00e4", "\u0000"), { maxLength: 6 }).map((parts) =>
    parts.join("")
  );
  fc.assert(
    fc.property(fc.array(alike, { minLength: 20 }), (texts) => {
      const reader = over(texts.reduce((fields, text) => fields.shortText(text), new FieldWriter()));
      assert.deepEqual(texts.map(() => reader.shortText()), texts);
    }),
  );
});

Deno.test("FieldReader.textInTable() finds a text among entries of any type, and goes on behind the table", () => {
  fc.assert(
    fc.property(TABLE, fc.option(fc.string({ unit: "binary" })), (others, wanted) => {
      const { compression: _, ...rest } = others;
      const table = wanted === null ? rest : { ...rest, compression: wanted };
      const reader = over(new FieldWriter().table(table).u8(42));
      assert.equal(reader.textInTable("compression"), wanted);
      assert.equal(reader.u8(), 42);
    }),
  );
});

Deno.test("FieldReader.textInTable() gives null when the name has a value that is no text, or stands deeper", () => {
  for (const value of [1, true, 2 ** 40, 0.5, { compression: "inner" }]) {
    assert.equal(over(new FieldWriter().table({ compression: value })).textInTable("compression"), null);
  }
  assert.equal(over(new FieldWriter().table({ outer: { compression: "x" } })).textInTable("compression"), null);
});

Deno.test("FieldReader refuses a table that is cut off or changed, or reads it, and never reads behind its end", () => {
  fc.assert(
    fc.property(TABLE, fc.infiniteStream(fc.nat()), fc.nat(4), (table, picks, changes) => {
      const bytes = new FieldWriter().table({ ...table, compression: "x" }).written.slice();
      for (let count = 0; count < changes; count++) bytes[next(picks) % bytes.byteLength] = next(picks) & 0xff;
      const reader = new FieldReader(bytes);
      reader.end = next(picks) % (bytes.byteLength + 1);
      const { end } = reader;
      try {
        reader.textInTable("compression");
        assert.ok(reader.at <= end);
      } catch (error) {
        assert.ok(error instanceof AmqpError, String(error));
        assert.equal(error.code, "SYNTAX_ERROR");
      }
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("FieldWriter.shortText() refuses what is longer than 255 bytes", () => {
  new FieldWriter().shortText("\u00e4".repeat(127));
  assert.throws(() => new FieldWriter().shortText("\u00e4".repeat(128)), UserError);
});

function over(fields: FieldWriter): FieldReader {
  const reader = new FieldReader(fields.written);
  reader.end = fields.written.byteLength;
  return reader;
}

function next(picks: Iterator<number>): number {
  return picks.next().value!;
}
