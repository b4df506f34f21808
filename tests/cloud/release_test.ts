import assert from "node:assert/strict";
import { refusesTransientQueues } from "../../tools/openstack/broker.ts";
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

Deno.test("refusesTransientQueues: RabbitMQ from 4.3 on", () => {
  const versions = ["3.10.8", "4.0.5", "4.2.9", "4.3.0", "4.10.1", "5.0.0"];
  assert.deepEqual(versions.filter(refusesTransientQueues), ["4.3.0", "4.10.1", "5.0.0"]);
});
