import assert from "node:assert/strict";
import { EventLog, type EventLogOptions } from "oss-watcher/plugins";
import { testPlugin } from "oss-watcher/testing";
import { FILE_CANNOT, FileHarness } from "./file_harness.ts";

testPlugin({
  name: "EventLog",
  openTarget: () => new FileHarness(),
  make: ({ file }) => new EventLog({ file }),
  cannot: FILE_CANNOT,
  right: () => new EventLog({ file: "/var/log/events.jsonl" }),
  wrong: {
    make: () => new EventLog({ file: "", format: "xml", name: 1, path: "x" } as unknown as EventLogOptions),
    names: ["file", "format", "name", "path"],
  },
  identify: (line) => JSON.parse(line).key,
  assertTaken: (line, { detail, created, context }) => {
    assert.doesNotMatch(line, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
    const { time, eventType, key } = context;
    assert.deepEqual(JSON.parse(line), { time, event: eventType, created, key, detail });
  },
  assertUpdated: (line, { detail, context }) => {
    assert.doesNotMatch(line, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
    const { time, eventType, key, changed } = context;
    assert.deepEqual(JSON.parse(line), { time, event: eventType, created: true, updated: true, changed, key, detail });
  },
  assertPreview: (preview, line) => assert.deepEqual(preview, JSON.parse(line)),
});

testPlugin({
  name: "EventLog for people",
  openTarget: () => new FileHarness(),
  make: ({ file }) => new EventLog({ file, format: "text" }),
  cannot: FILE_CANNOT,
  right: () => new EventLog({ format: "text" }),
  identify: (line) => /key=(\S+)/.exec(line)?.[1] ?? "",
  assertTaken: (line, { created, context }) => {
    assert.doesNotMatch(line, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
    assert.ok(line.startsWith(`${context.time} ${created ? "creation" : "deletion"} of a`));
    assert.equal(line.match(/ key=/g)?.length, 1, line);
  },
  assertUpdated: (line, { context }) => {
    assert.doesNotMatch(line, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
    assert.ok(line.startsWith(`${context.time} update of a server: `));
    for (const column of [/ key=/g, / changed=/g]) assert.equal(line.match(column)?.length, 1, line);
  },
  assertPreview: (preview, line) => assert.equal(preview, line),
});
