import assert from "node:assert/strict";
import { freePorts } from "../../tools/free_ports.ts";
import type { OpenBao } from "../../tools/openbao/server.ts";
import { denoDir, ProgramDirectory, type ProgramEnd, runProgram } from "../support/program.ts";

const SAMPLE = new URL("../../samples/compute.instance.create.end.json", import.meta.url).pathname;
const PERMISSIONS = ["--allow-read", "--allow-env", "--allow-net=127.0.0.1", "--deny-write"];

/** Its HOME is another one, which may have a token. */
const DENO_DIR = denoDir();

/** A configuration with secrets of Vault, and what its plugin would send with them. */
function config(...references: readonly string[]): string {
  const values = references.map((one) => `await vault(${JSON.stringify(one)})`).join(", ");
  return `import { vault } from "oss-watcher";
const values = [${values}];
export default {
  events: { creation: ["compute.instance.create.end"], deletion: [] },
  plugins: [{ name: "Mine", notify() {}, preview: () => ({ lengths: values.map((one) => one.length), values }) }],
};`;
}

interface Tried {
  readonly references: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

async function dryRun({ references, env }: Tried): Promise<ProgramEnd> {
  using dir = new ProgramDirectory({ "config.ts": config(...references) });
  return await runProgram({
    dir: dir.path(),
    args: ["--dry-run", SAMPLE],
    permissions: PERMISSIONS,
    env: { HOME: dir.path(), DENO_DIR, ...env },
  });
}

/** `vault()` while config.ts is loaded, as an operator meets it. */
export function testReading(bao: () => OpenBao): void {
  const asRoot = () => ({ VAULT_ADDR: bao().address, VAULT_TOKEN: bao().rootToken });

  Deno.test("vault() reads several keys, of nested paths, and no output shows them", async () => {
    await bao().put("cmdb", { token: "hush-4711-token", user: "watcher" });
    await bao().put("team/cloud/ldap", { password: "hush-4712-password" });
    const { code, out, err } = await dryRun({
      references: ["secret/cmdb#token", "/secret/cmdb#user", "secret/team/cloud/ldap#password"],
      env: asRoot(),
    });
    assert.deepEqual({ code, err }, { code: 0, err: "" });
    assert.match(out, /"lengths":\[15,7,18\]/);
    assert.match(out, /"\*\*\*","watcher","\*\*\*"/);
    assert.ok(!out.includes("hush"));
  });

  Deno.test("vault() reads the secrets engine kv of version 1, and one below a path of its own", async () => {
    await bao().ask("POST", "sys/mounts/teams/one", { type: "kv", options: { version: "1" } });
    await bao().ask("POST", "teams/one/cmdb", { token: "of-version-one" });
    const { code, out } = await dryRun({ references: ["teams/one/cmdb#token"], env: asRoot() });
    assert.equal(code, 0);
    assert.match(out, /"lengths":\[14\]/);
  });

  Deno.test("vault() logs in by AppRole and gives its token back", async () => {
    await bao().put("cmdb", { token: "hush-4711-token" });
    const { env, tokens } = await appRole(bao(), { ttl: "1h" });
    const before = await tokens();
    const { code, out, err } = await dryRun({ references: ["secret/cmdb#token"], env });
    assert.deepEqual({ code, err }, { code: 0, err: "" });
    assert.match(out, /"lengths":\[15\]/);
    assert.equal(await tokens(), before);
  });

  Deno.test("vault() takes the token from a file, and the fallback where no server is named", async () => {
    await bao().put("cmdb", { token: "hush-4711-token" });
    using dir = new ProgramDirectory({ "token": `${bao().rootToken}\n`, ".vault-token": bao().rootToken });
    for (const env of [{ VAULT_TOKEN_FILE: dir.path("token") }, { HOME: dir.path() }]) {
      const { code, out } = await dryRun({
        references: ["secret/cmdb#token"],
        env: { BAO_ADDR: bao().address, ...env },
      });
      assert.equal(code, 0);
      assert.match(out, /"lengths":\[15\]/);
    }
  });

  const [closed] = freePorts(1);
  for (
    const [what, tried, says] of [
      ["a key that is not there", { references: ["secret/cmdb#tokn"] }, /it has no key "tokn", but token$/m],
      ["a reference without a key", { references: ["secret/cmdb"] }, /it names no key\. Write path#key/],
      ["nothing at the path", { references: ["secret/none#a"] }, /there is nothing at "secret\/none"\. Write it with/],
      ["a path with data/", { references: ["secret/data/cmdb#a"] }, /there is nothing at .*Leave out "data\/"/],
      ["another engine", { references: ["cubbyhole/a#b"] }, /"cubbyhole\/" is a secrets engine of the type cubbyhole/],
      [
        "a wrong token",
        { env: { VAULT_TOKEN: "hush-wrong-4711" } },
        /403 Forbidden.*Give another token, or its policy/,
      ],
      ["no token", { env: { VAULT_TOKEN: "" } }, /there is no token\. Set VAULT_TOKEN_FILE or VAULT_TOKEN/],
      ["no address", { env: { VAULT_ADDR: "" } }, /VAULT_ADDR is not set\. Set it to https/],
      [
        "no server",
        { env: { VAULT_ADDR: `http://127.0.0.1:${closed}` } },
        /refused.*\. Start it, or correct VAULT_ADDR/,
      ],
      [
        "a wrong role",
        { env: { VAULT_TOKEN: "", VAULT_ROLE_ID: "hush-none", VAULT_SECRET_ID: "hush-4711-id" } },
        /400 .*Give another token, role or secret id/,
      ],
    ] as const satisfies readonly (readonly [string, Partial<Tried>, RegExp])[]
  ) {
    Deno.test(`vault() says what is wrong, and what to do: ${what}`, async () => {
      await bao().put("cmdb", { token: "hush-4711-token" });
      const { references = ["secret/cmdb#token"], env = {} } = tried as Partial<Tried>;
      const { code, out, err } = await dryRun({ references, env: { ...asRoot(), ...env } });
      assert.deepEqual({ code, out }, { code: 1, out: "" });
      assert.match(err, /^Cannot load the configuration "[^"]*": /);
      assert.match(err, says);
      assert.ok(!err.includes("hush"), err);
    });
  }
}

/** A role that may read all below `secret/`, with a login for it. */
export async function appRole(
  bao: OpenBao,
  { ttl }: { readonly ttl: string },
): Promise<{ readonly env: Readonly<Record<string, string>>; readonly tokens: () => Promise<number> }> {
  await bao.ask("POST", "sys/auth/approle", { type: "approle" }).catch(() => {});
  await bao.ask("PUT", "sys/policies/acl/watcher", { policy: `path "secret/data/*" { capabilities = ["read"] }` });
  await bao.ask("POST", "auth/approle/role/watcher", { token_policies: "watcher", token_ttl: ttl });
  const [role, secret] = [
    await bao.ask("GET", "auth/approle/role/watcher/role-id"),
    await bao.ask("POST", "auth/approle/role/watcher/secret-id"),
  ].map(({ data }) => data as Record<string, string>);
  return {
    env: { VAULT_ADDR: bao.address, VAULT_ROLE_ID: role!["role_id"]!, VAULT_SECRET_ID: secret!["secret_id"]! },
    tokens: async () => {
      const { data } = await bao.ask("GET", "auth/token/accessors?list=true");
      return (data as { readonly keys: readonly string[] }).keys.length;
    },
  };
}
