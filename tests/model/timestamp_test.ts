import assert from "node:assert/strict";
import fc from "fast-check";
import { isoUtc } from "../../src/model/timestamp.ts";

const FORMS = [
  ["2026-11-21 18:59:38.385676", "2026-11-21T18:59:38.385Z"],
  ["2026-11-21 18:59:38", "2026-11-21T18:59:38.000Z"],
  ["2026-11-21T18:59:38.194728", "2026-11-21T18:59:38.194Z"],
  ["2026-11-21T18:59:38", "2026-11-21T18:59:38.000Z"],
  ["2026-11-21 18:59:25+00:00", "2026-11-21T18:59:25.000Z"],
  ["2026-11-21T19:13:08Z", "2026-11-21T19:13:08.000Z"],
  ["2026-11-21T19:13:08.5Z", "2026-11-21T19:13:08.500Z"],
  ["2026-11-21T19:13:08.999999999Z", "2026-11-21T19:13:08.999Z"],
  ["2026-11-21T19:13:08z", "2026-11-21T19:13:08.000Z"],
  ["2026-11-21T19:13:08+0530", "2026-11-21T13:43:08.000Z"],
  ["2026-11-21 19:13:08.25-08:00", "2026-11-22T03:13:08.250Z"],
  ["2015-03-19 18:44:01", "2015-03-19T18:44:01.000Z"],
  ["2024-02-29 00:00:00", "2024-02-29T00:00:00.000Z"],
  ["  2026-11-21 18:59:38\n", "2026-11-21T18:59:38.000Z"],
] as const;

for (const [written, iso] of FORMS) {
  Deno.test(`isoUtc() reads ${JSON.stringify(written)}`, () => assert.equal(isoUtc(written), iso));
}

const NO_DATES = [
  "",
  " ",
  "null",
  "2026-11-21",
  "18:59:38",
  "1795288371",
  "2026-02-30 00:00:00",
  "2026-02-30 00:00:00+00:00",
  "2026-02-30T00:00:00Z",
  "2025-02-29 12:00:00+01:00",
  "2026-13-01 00:00:00",
  "2026-00-10 00:00:00",
  "2026-01-00 00:00:00",
  "2026-11-21 24:00:00",
  "2026-11-21 24:00:00+00:00",
  "2026-11-21 23:60:00",
  "2026-11-21 23:59:60",
  "2026-11-21 18:59:38+99:99",
  "2026-11-21 18:59:38.",
  "2026-11-21 18:59:38 UTC",
  "2026-11-21 18:59:38; DROP TABLE",
  "x2026-11-21 18:59:38",
  "+010000-01-01T00:00:00Z",
  "0000-01-01 00:00:00+01:00",
  "9999-12-31T23:59:59-01:00",
];

for (const written of NO_DATES) {
  Deno.test(`isoUtc() gives null for ${JSON.stringify(written)}`, () => assert.equal(isoUtc(written), null));
}

Deno.test("isoUtc() gives null for what is no text", () => {
  for (const value of [null, undefined, 1795288371, true, {}, [], ["2026-11-21 18:59:38"], new Date(0)]) {
    assert.equal(isoUtc(value), null);
  }
});

Deno.test("isoUtc() reads a date without a zone as UTC wherever the process runs", async () => {
  for (const zone of ["America/New_York", "Asia/Kolkata", "Pacific/Kiritimati"]) {
    const { stdout, success } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", "--quiet", `import { isoUtc } from ${JSON.stringify(SOURCE)}; ${PRINT_ALL}`],
      env: { TZ: zone },
    }).output();
    assert.ok(success, zone);
    const told = JSON.parse(new TextDecoder().decode(stdout));
    assert.notEqual(told.offset, 0, `${zone} is not in force`);
    assert.deepEqual(told.iso, FORMS.map(([, iso]) => iso), zone);
  }
});

Deno.test("isoUtc() gives every date back that Python writes, to the millisecond", () => {
  const date = fc.date({
    min: new Date("0001-01-01T00:00:00Z"),
    max: new Date("9999-12-31T23:59:59Z"),
    noInvalidDate: true,
  });
  fc.assert(
    fc.property(date, fc.constantFrom(" ", "T"), fc.constantFrom("", "Z", "+00:00"), (instant, middle, zone) => {
      const iso = instant.toISOString();
      const written = `${iso.slice(0, 10)}${middle}${iso.slice(11, 23)}789${zone}`;
      assert.equal(isoUtc(written), iso);
    }),
  );
});

Deno.test("isoUtc() gives its own results back unchanged", () => {
  for (const [, iso] of FORMS) assert.equal(isoUtc(iso), iso);
});

Deno.test("isoUtc() gives 24 characters or null for anything that looks like a date", () => {
  const part = (digits: number) => fc.stringMatching(new RegExp(`^\\d{${digits}}$`));
  const looks = fc.tuple(
    part(4),
    part(2),
    part(2),
    part(2),
    part(2),
    part(2),
    fc.constantFrom("", "Z", "+14:00", "-2359"),
  );
  fc.assert(
    fc.property(looks, ([year, month, day, hour, minute, second, zone]) => {
      const iso = isoUtc(`${year}-${month}-${day} ${hour}:${minute}:${second}${zone}`);
      assert.ok(iso === null || /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(iso));
    }),
    { numRuns: 1000 },
  );
});

const SOURCE = new URL("../../src/model/timestamp.ts", import.meta.url).href;
const PRINT_ALL = `console.log(JSON.stringify({
  offset: new Date(0).getTimezoneOffset(),
  iso: ${JSON.stringify(FORMS.map(([written]) => written))}.map(isoUtc),
}))`;
