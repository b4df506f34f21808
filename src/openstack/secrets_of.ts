import type { Credentials } from "./credentials.ts";

/** What no text may repeat. */
export function secretsOf({ identity }: Credentials): readonly string[] {
  return [identity.method === "password" ? identity.password : identity.secret];
}
