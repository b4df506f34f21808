import assert from "node:assert/strict";
import { secretsInSource } from "../../../src/inspect/check/secrets_in_source.ts";
import { TemporaryDirectory } from "../../support/temporary_directory.ts";

const CASES: readonly { readonly line: string; readonly found: boolean }[] = [
  { line: `  password: "hush",`, found: true },
  { line: `  { user: "u", "password": 'hush' },`, found: true },
  { line: `  applicationCredentialSecret: "hush",`, found: true },
  { line: `  headers: { "X-Auth-Token": "hush" },`, found: true },
  { line: `  new RestNotify({ url: u, bearer: "hush" }),`, found: true },
  { line: `  signingSecrets: ["hush"],`, found: true },
  { line: `  signingSecrets: [env("A")],`, found: false },
  { line: `  url: "amqp://user:hush@host:5672/",`, found: true },
  { line: `  ledger: { postgres: { url: "postgres://user:hush@h:5432,h2:5432/d" } },`, found: true },
  { line: `  ledger: { postgres: { url: env("LEDGER_URL") } },`, found: false },
  { line: `password = hush`, found: true },
  { line: `password=hush`, found: true },
  { line: `  password: env("PASSWORD"),`, found: false },
  { line: `  password: env("PASSWORD", "not set yet"),`, found: false },
  { line: `  url: env("RABBIT_URL", "amqp://guest:guest@localhost:5672/"),`, found: false },
  { line: `  // password: "an example",`, found: false },
  { line: `# password = an example`, found: false },
  { line: `  password: "",`, found: false },
  { line: `password =`, found: false },
  { line: `  url: "https://host:5000/v3",`, found: false },
];

for (const { line, found } of CASES) {
  Deno.test(`secretsInSource() ${found ? "finds" : "finds nothing in"} ${line.trim()}`, async () => {
    using dir = new TemporaryDirectory();
    const path = dir.path("config.ts");
    await Deno.writeTextFile(path, `\n${line}\n`, { mode: 0o644 });
    const findings = await secretsInSource(path);
    assert.deepEqual(findings.map(({ key }) => key), found ? ["config.ts:2"] : []);
    assert.ok(!JSON.stringify(findings).includes("hush"));
    await Deno.chmod(path, 0o640);
    assert.deepEqual(await secretsInSource(path), []);
  });
}
