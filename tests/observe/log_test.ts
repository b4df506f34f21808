import assert from "node:assert/strict";
import { logTo } from "../../src/observe/log.ts";

const NOW = Date.UTC(2015, 2, 19, 18, 44, 1, 5);

function logged(format: "text" | "json", level: "debug" | "info" | "warn" | "error", message: string): string {
  let written = "";
  const log = logTo({ level, format, now: () => NOW, write: (line) => written += line })("broker");
  log.debug(message);
  log.info(message);
  log.warn(message);
  log.error(message);
  return written;
}

Deno.test("logTo() writes text in the words of the first generation", () => {
  assert.equal(
    logged("text", "debug", "Listen queue q"),
    `2015-03-19 18:44:01 DEBUG (broker) Listen queue q
2015-03-19 18:44:01 INFO (broker) Listen queue q
2015-03-19 18:44:01 WARNING (broker) Listen queue q
2015-03-19 18:44:01 ERROR (broker) Listen queue q
`,
  );
});

Deno.test("logTo() writes JSON, one line per record", () => {
  assert.deepEqual(
    logged("json", "warn", "Lost").trimEnd().split("\n").map((line) => JSON.parse(line)),
    ["warn", "error"].map((level) => ({ time: "2015-03-19T18:44:01.005Z", level, part: "broker", message: "Lost" })),
  );
});

for (
  const { level, lines } of [
    { level: "debug", lines: 4 },
    { level: "info", lines: 3 },
    { level: "warn", lines: 2 },
    { level: "error", lines: 1 },
  ] as const
) {
  Deno.test(`logTo() writes nothing below ${level}`, () => {
    assert.equal(logged("text", level, "x").split("\n").length - 1, lines);
    assert.equal(logged("json", level, "x").split("\n").length - 1, lines);
  });
}

const HOSTILE = `web\r\n2015-03-19 18:44:01 ERROR (service) all is lost\u001b[2J\u202e\u2028"}\ud800`;

Deno.test("logTo() writes nothing that a terminal obeys and no second line, whatever a tenant chose", () => {
  for (const format of ["text", "json"] as const) {
    const text = logged(format, "error", HOSTILE);
    assert.match(text, /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+\n$/u, format);
  }
  // A program reads what was said; half a character is none.
  assert.equal(JSON.parse(logged("json", "error", HOSTILE)).message, HOSTILE.replace("\ud800", "\ufffd"));
});

Deno.test("logTo() hides secrets in both formats", () => {
  const message = `amqp://watcher:hush-4711@rabbit/ refused, password="hush-4711", token: hush-4711`;
  for (const format of ["text", "json"] as const) {
    const text = logged(format, "error", message);
    assert.ok(!text.includes("4711"), text);
    assert.ok(text.includes("rabbit"), text);
  }
});
