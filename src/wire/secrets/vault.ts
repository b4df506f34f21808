/**
 * A secret of HashiCorp Vault or OpenBao, of the secrets engine `kv` (version 2 or 1): `await
 * vault("secret/cmdb#token")` is the key `token` of what `vault kv get secret/cmdb` shows. The
 * environment says where the server is and who asks: `VAULT_ADDR`, `VAULT_TOKEN` and others, as for
 * `vault` itself; with `BAO_` in place of `VAULT_` as well.
 *
 * The value is hidden as one of `env()` is. The service renews its token, and loads the
 * configuration anew when the secret has changed, which it looks for each minute.
 *
 * @param reference The path, `#`, and the key of the secret.
 * @param fallback The value where no server is named at all, as for a dry run.
 *
 * @throws {UserError} when the secret cannot be had.
 *
 * @example
 * ```ts
 * import { vault } from "oss-watcher";
 * import assert from "node:assert/strict";
 *
 * Deno.env.delete("VAULT_ADDR");
 * assert.equal(await vault("secret/cmdb#token", "not-set-yet"), "not-set-yet");
 * ```
 */
export async function vault(reference: string, fallback?: string): Promise<string> {
  const { VAULT } = await import("./vault_source.ts");
  return await VAULT.read(reference, fallback);
}
