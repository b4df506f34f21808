// Who acts.
import type { ServerRef, Tenant } from "./tenant.ts";

export interface Cast {
  /** Of one project. */
  readonly alice: Tenant;
  /** Of another. */
  readonly bob: Tenant;
  /** Of Bob's project, too. */
  readonly carol: Tenant;
}

/** Two servers of Alice's that stay for most of it. */
export type Pair = readonly [ServerRef, ServerRef];

export const METADATA = {
  owner: "alice",
  additional_users: "bob,carol",
  application_name: "Beam Control",
  environment_ci: "CI-4711",
  serviceNowId: "SN0001234",
};
