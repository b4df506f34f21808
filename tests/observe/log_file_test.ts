import assert from "node:assert/strict";
import { LogFile } from "../../src/observe/log_file.ts";
import { ProgramDirectory } from "../support/program.ts";

/** What comes while the file cannot be written. */
function log(path: string): LogFile & { readonly instead: string[] } {
  const instead: string[] = [];
  return Object.assign(new LogFile(path, (line) => instead.push(line)), { instead });
}

Deno.test("LogFile appends to what is there, and ends half a line first", () => {
  using dir = new ProgramDirectory({ "oss.log": "whole\nhalf" });
  using file = log(dir.path("oss.log"));
  file.write("one\n");
  file.write("two\n");
  assert.equal(Deno.readTextFileSync(dir.path("oss.log")), "whole\nhalf\none\ntwo\n");
});

Deno.test("LogFile makes the directory, and a file that others may not read", () => {
  using dir = new ProgramDirectory({});
  using file = log(dir.path("var", "log", "oss.log"));
  file.write("one\n");
  assert.equal((Deno.statSync(dir.path("var", "log", "oss.log")).mode ?? 0) & 0o777, 0o640);
});

Deno.test("LogFile goes on in a new file after the old one was renamed or removed", () => {
  using dir = new ProgramDirectory({});
  using file = log(dir.path("oss.log"));
  file.write("one\n");
  Deno.renameSync(dir.path("oss.log"), dir.path("oss.log.1"));
  file.write("two\n");
  assert.equal(Deno.readTextFileSync(dir.path("oss.log.1")), "one\n");
  assert.equal(Deno.readTextFileSync(dir.path("oss.log")), "two\n");
  Deno.removeSync(dir.path("oss.log"));
  file.write("three\n");
  assert.equal(Deno.readTextFileSync(dir.path("oss.log")), "three\n");
});

Deno.test("LogFile goes on at the start of the file after logrotate's copytruncate", () => {
  using dir = new ProgramDirectory({});
  using file = log(dir.path("oss.log"));
  file.write("one\n");
  Deno.copyFileSync(dir.path("oss.log"), dir.path("oss.log.1"));
  Deno.truncateSync(dir.path("oss.log"));
  file.write("two\n");
  assert.equal(Deno.readTextFileSync(dir.path("oss.log.1")), "one\n");
  assert.equal(Deno.readTextFileSync(dir.path("oss.log")), "two\n");
});

Deno.test("LogFile hands its lines elsewhere while it cannot be written, says so once, and goes on when it can", () => {
  using dir = new ProgramDirectory({ logs: null });
  const path = dir.path("logs", "oss.log");
  using file = log(path);
  Deno.removeSync(dir.path("logs"), { recursive: true });
  file.write("one\n");
  file.write("two\n");
  const [said, ...lines] = file.instead;
  assert.match(said ?? "", /^Cannot write to the log file ".*oss\.log": No such file or directory.*\n$/);
  assert.deepEqual(lines, ["one\n", "two\n"]);
  dir.write("logs", null);
  file.write("three\n");
  assert.equal(Deno.readTextFileSync(path), "three\n");
  assert.equal(file.instead.length, 3);
});

for (
  const { what, path, why } of [
    { what: "a directory", path: "there", why: "it is not a regular file" },
    { what: "below a file", path: "file/oss.log", why: "" },
  ]
) {
  Deno.test(`LogFile refuses ${what} with one clear line`, () => {
    using dir = new ProgramDirectory({ there: null, file: "" });
    const file = dir.path(path);
    assert.throws(() => log(file), ({ name, message }) => {
      assert.equal(name, "UserError");
      assert.ok(message.startsWith(`Cannot open the log file "${file}": ${why}`), message);
      assert.ok(message.endsWith(". Set log.file to a place that this user may write to"), message);
      return true;
    });
  });
}
