import type { Role } from "../api.ts";

/** Who asks. */
export interface Identity {
  readonly user: string;
  readonly role: Role;
  /** To be sent with what changes something. */
  readonly csrf: string;
  /** When the session ends, milliseconds since the epoch; `null`: a proxy signs in. */
  readonly expiresAt: number | null;
}

/** Whether a role may do what needs another. */
export function mayAct({ role }: Identity, needed: Role): boolean {
  return role === "operator" || needed === "viewer";
}

/** As the audit trail says it. */
export function whoOf({ user }: Identity): string {
  return `${user} (console)`;
}
