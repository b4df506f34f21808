import { join } from "node:path";
import { UserError } from "../../model/errors.ts";
import { HttpTarget } from "../http/http.ts";
import type { TlsFiles } from "../http/http_client.ts";
import { remember } from "./given_values.ts";

/** How a token is come by. */
export type VaultLogin =
  | { readonly token: () => string }
  | { readonly mount: string; readonly roleId: string; readonly secretId: () => string };

/** A server, and who asks it. */
export interface VaultSettings {
  /** Without a slash at its end. */
  readonly address: string;
  readonly namespace: string | undefined;
  readonly files: TlsFiles;
  readonly login: VaultLogin;
}

/**
 * What the environment says of the server, by the variables of its own command line; `null`: it names
 * no server.
 *
 * @throws {UserError} when it cannot be used.
 */
export function vaultSettings(): VaultSettings | null {
  const address = variable("ADDR")?.replace(/\/+$/, "");
  if (address === undefined) return null;
  if (!HttpTarget.isUrl(address)) {
    throw new UserError(`Cannot use VAULT_ADDR: it is no address. Write it as https://vault.example.com:8200`);
  }
  const [caFile, certFile, keyFile] = [variable("CACERT"), variable("CLIENT_CERT"), variable("CLIENT_KEY")];
  return {
    address,
    namespace: variable("NAMESPACE"),
    files: {
      ...(caFile === undefined ? {} : { caFile }),
      ...(certFile === undefined || keyFile === undefined ? {} : { certFile, keyFile }),
    },
    login: loginOf(),
  };
}

function loginOf(): VaultLogin {
  const token = secretOf("TOKEN");
  if (token !== null) return { token };
  const roleId = variable("ROLE_ID");
  if (roleId !== undefined) {
    remember({ name: "VAULT_ROLE_ID", value: roleId, origin: "env VAULT_ROLE_ID" });
    const secretId = secretOf("SECRET_ID");
    if (secretId !== null) return { mount: variable("APPROLE_MOUNT") ?? "approle", roleId, secretId };
    throw new UserError(
      "Cannot log in to Vault: VAULT_ROLE_ID is set without its secret. Set VAULT_SECRET_ID_FILE or VAULT_SECRET_ID",
    );
  }
  const home = Deno.env.get("HOME");
  const own = home === undefined ? null : join(home, ".vault-token");
  if (own !== null && exists(own)) return { token: () => fileOf(own) };
  throw new UserError(
    "Cannot log in to Vault: there is no token. Set VAULT_TOKEN_FILE or VAULT_TOKEN, or VAULT_ROLE_ID with " +
      "VAULT_SECRET_ID_FILE",
  );
}

/** The value of a variable, or of the file that another one names: read anew each time. */
function secretOf(name: string): (() => string) | null {
  const value = variable(name);
  if (value !== undefined) {
    remember({ name: `VAULT_${name}`, value, origin: `env VAULT_${name}` });
    return () => value;
  }
  const file = variable(`${name}_FILE`);
  return file === undefined ? null : () => fileOf(file);
}

/** Not a `file()`: a new token changes nothing in the configuration. */
function fileOf(path: string): string {
  try {
    const value = Deno.readTextFileSync(path).trim();
    if (!/^[\x21-\x7e]+$/.test(value)) throw new UserError("it holds no token");
    remember({ name: "VAULT_TOKEN", value, origin: `file ${path}` });
    return value;
  } catch (error) {
    const state = (error instanceof Error ? error.message : String(error)).replace(/: readfile '.*'$/, "");
    throw new UserError(`Cannot log in to Vault: "${path}": ${state}. Put the token or the secret id there`);
  }
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** OpenBao reads its own names first, too. */
function variable(name: string): string | undefined {
  return Deno.env.get(`BAO_${name}`) || Deno.env.get(`VAULT_${name}`) || undefined;
}
