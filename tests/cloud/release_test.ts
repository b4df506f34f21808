import assert from "node:assert/strict";
import { takeRelease } from "../../tools/openstack/programs.ts";

Deno.test("takeRelease: the machine's own, or the one that is named, wherever it stands", () => {
  assert.deepEqual(takeRelease(["core"]), { release: "bookworm", rest: ["core"] });
  assert.deepEqual(takeRelease(["core", "--release", "sid", "more"]), { release: "sid", rest: ["core", "more"] });
  assert.deepEqual(takeRelease(["--release", "trixie"]), { release: "trixie", rest: [] });
});

Deno.test("takeRelease: another one is refused with those that there are", () => {
  const said = /^Error: Cannot use release "(buster|)": the releases are bookworm, trixie, sid\. Name one of them$/;
  assert.throws(() => takeRelease(["--release", "buster", "core"]), said);
  assert.throws(() => takeRelease(["--release"]), said);
});
