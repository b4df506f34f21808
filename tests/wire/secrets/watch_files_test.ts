import assert from "node:assert/strict";
import { secretSources } from "../../../src/wire/secrets/secret_source.ts";
import { watchSecrets } from "../../../src/runtime/watch_secrets.ts";
import { file } from "../../../src/wire/secrets/secret_file.ts";
import { ProgramDirectory } from "../../support/program.ts";
import { until } from "../../support/until.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";

// One test: what is watched is all that this process has got.
Deno.test("files are watched once config.ts has got one: a change is told when it is whole, and told again until it is taken", async () => {
  assert.equal(secretSources().length, 0);
  using dir = new ProgramDirectory({ user: "nova", password: "hush-one" });
  file(dir.path("user"));
  file(dir.path("password"));
  file(dir.path("later"), "not-there");
  const [changes, warnings]: [string[], string[]] = [[], []];
  const clock = new VirtualClock();
  const log = { debug() {}, info() {}, warn: (line: string) => void warnings.push(line), error() {} };
  /** Looks are real, the seconds between them are not. */
  const seconds = async (count: number) => {
    for (let second = 0; second < count; second++) {
      await until(() => clock.sleeping === 1, 10_000);
      await clock.advance(1000);
    }
    await until(() => clock.sleeping === 1, 10_000);
  };
  const names = (...all: readonly string[]) => `the file ${all.map((name) => `"${dir.path(name)}"`).join(", ")}`;
  {
    await using _ = watchSecrets({ clock, log, onChange: (what) => void changes.push(what) });
    await seconds(3);
    assert.deepEqual([changes, warnings], [[], []]);

    // Another time of change, the same content.
    dir.write("user", "nova");
    await seconds(3);
    assert.deepEqual(changes, []);

    // Half written: told once all are whole.
    dir.write("password", "");
    await seconds(3);
    assert.deepEqual([changes, warnings.length], [[], 1]);
    assert.match(warnings[0]!, /password": it is empty\. Put the secret there\. The service goes on with the value/);
    dir.write("password", "hush-two\n");
    dir.write("user", "nova2");
    await seconds(3);
    assert.deepEqual(changes, [names("user", "password")]);

    // Not taken: once a minute.
    await seconds(50);
    assert.equal(changes.length, 1);
    await seconds(20);
    assert.deepEqual(changes, [names("user", "password"), names("user", "password")]);

    // Back to what config.ts has; and a file that was not there.
    dir.write("password", "hush-one");
    dir.write("user", "nova");
    await seconds(130);
    assert.equal(changes.length, 2);
    dir.write("later", "hush-three");
    await seconds(3);
    assert.equal(changes.at(-1), names("later"));
  }
  assert.equal(clock.sleeping, 0);
});
