import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { givenValues } from "../../../src/wire/secrets/given_values.ts";
import { redact } from "../../../src/wire/secrets/redact.ts";
import { credential, file } from "../../../src/wire/secrets/secret_file.ts";
import { ProgramDirectory } from "../../support/program.ts";

Deno.test("file() returns the content without one line feed at its end", () => {
  for (
    const [content, value] of [["s3cret", "s3cret"], ["s3cret\n", "s3cret"], ["s3 cret\r\n", "s3 cret"], [
      "a\n\n",
      "a\n",
    ]]
  ) {
    using dir = new ProgramDirectory({ token: content! });
    assert.equal(file(dir.path("token")), value);
    assert.equal(file(pathToFileURL(dir.path("token"))), value);
  }
});

Deno.test("file() has its value hidden by the rules of env(), for the file's name", () => {
  using dir = new ProgramDirectory({
    "value": "hush-4711-value\n",
    "rabbit-password": "h7x",
    "db-user": "nova-watcher",
    "hook.url": "https://chat.example.com/hooks/hush-4712-hook",
  });
  for (const name of ["value", "rabbit-password", "db-user", "hook.url"]) file(dir.path(name));
  assert.equal(redact("hush-4711-value h7x nova-watcher"), "*** *** nova-watcher");
  assert.equal(redact("at hooks/hush-4712-hook now"), "at *** now");
  assert.ok(givenValues().some(({ origin }) => origin === `file ${dir.path("value")}`));
});

Deno.test("file() returns the fallback for a file that is not there, and for no other", () => {
  using dir = new ProgramDirectory({ empty: "\n" });
  assert.equal(file(dir.path("none"), "not-set-yet"), "not-set-yet");
  assert.throws(() => file(dir.path("empty"), "not-set-yet"), /it is empty\. Put the secret there/);
});

Deno.test("file() names the file, what is wrong and what to do", () => {
  using dir = new ProgramDirectory({ empty: "", binary: new Uint8Array([0xff, 0xfe, 0]), folder: null });
  for (
    const [path, says] of [
      [dir.path("none"), `Cannot read the secret file "${dir.path("none")}": there is no such file. Put it there`],
      [dir.path("empty"), `Cannot read the secret file "${dir.path("empty")}": it is empty. Put the secret there`],
      [
        dir.path("binary"),
        `Cannot read the secret file "${dir.path("binary")}": it is no text in UTF-8. Put the secret there as a text`,
      ],
      [dir.path("folder"), `Cannot read the secret file "${dir.path("folder")}": Is a directory (os error 21)`],
      [
        "run/x",
        `Cannot read the secret file "run/x": the path is relative. Write the whole path, or ` +
        `new URL("run/x", import.meta.url) for a file beside config.ts`,
      ],
    ] as const
  ) {
    assert.throws(() => file(path), { name: "UserError", message: says });
  }
});

Deno.test("credential() reads what systemd gives, and says how it is given", () => {
  using dir = new ProgramDirectory({ rabbit: "hush-4713-rabbit\n" });
  const former = Deno.env.get("CREDENTIALS_DIRECTORY");
  try {
    Deno.env.set("CREDENTIALS_DIRECTORY", dir.path());
    assert.equal(credential("rabbit"), "hush-4713-rabbit");
    assert.equal(redact("hush-4713-rabbit"), "***");
    assert.equal(credential("none", "fallback"), "fallback");
    assert.throws(() => credential("none"), /the credential "none": there is no such file\. Put it there/);
    assert.throws(() => credential("../rabbit"), /it is no name\. Write what stands before the colon/);
    Deno.env.delete("CREDENTIALS_DIRECTORY");
    assert.equal(credential("rabbit", "fallback"), "fallback");
    assert.throws(() => credential("rabbit"), /\$CREDENTIALS_DIRECTORY is not set.*Add LoadCredential=rabbit:/);
  } finally {
    if (former !== undefined) Deno.env.set("CREDENTIALS_DIRECTORY", former);
    else Deno.env.delete("CREDENTIALS_DIRECTORY");
  }
});
