import assert from "node:assert/strict";
import { RecordFile } from "../../src/cli/record_file.ts";
import { UserError } from "../../src/model/errors.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";

Deno.test("RecordFile adds whole lines to a file that is there", () => {
  using dir = new TemporaryDirectory();
  for (const line of ["one", "two"]) {
    using file = RecordFile.open(dir.path("run.jsonl"), { append: true });
    file.write(line);
  }
  assert.equal(Deno.readTextFileSync(dir.path("run.jsonl")), "one\ntwo\n");
});

Deno.test("RecordFile takes a line back that could not be written to its end", () => {
  using dir = new TemporaryDirectory();
  const write = Deno.FsFile.prototype.writeSync;
  {
    using file = RecordFile.open(dir.path("run.jsonl"), { append: false });
    file.write("one");
    let calls = 0;
    // As a disk that fills up in the middle of a line.
    Deno.FsFile.prototype.writeSync = function (bytes) {
      if (++calls > 1) throw new Error("No space left on device (os error 28)");
      return write.call(this, bytes.subarray(0, 2));
    };
    try {
      assert.throws(() => file.write("two"), (error) => {
        return error instanceof UserError && /No space left on device .*It ends with a whole line/.test(error.message);
      });
    } finally {
      Deno.FsFile.prototype.writeSync = write;
    }
  }
  assert.equal(Deno.readTextFileSync(dir.path("run.jsonl")), "one\n");
});
