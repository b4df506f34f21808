import type { Client } from "./server_options.ts";
import type { Identity } from "./sign_in/identity.ts";

/** What hono passes from one handler of a request to the next. */
export interface ConsoleEnv {
  readonly Bindings: Client;
  readonly Variables: {
    /** Of requests to the API: who asks. */
    identity: Identity;
    /** Whether they are still signed in. */
    isSignedIn: () => boolean;
  };
}
