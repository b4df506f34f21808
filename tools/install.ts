// Installs what the tests need. Part of `deno task test`: quiet and fast when everything is there.
import { installMissing, type Requirement } from "./packages.ts";
import { RABBITMQ } from "./rabbitmq.ts";

const NEEDED: readonly Requirement[] = [
  RABBITMQ,
  { program: "openssl", package: "openssl" },
  { program: "python3", package: "python3" },
  { program: "oslo-config-generator", package: "python3-oslo.config" },
  { program: "slapd", package: "slapd", places: ["/usr/sbin/slapd"] },
  { program: "ldapmodify", package: "ldap-utils" },
  { program: "ns-slapd", package: "389-ds-base", places: ["/usr/sbin/ns-slapd"] },
  // For promtool alone; its server is not started.
  { program: "promtool", package: "prometheus" },
  { program: "systemd-analyze", package: "systemd" },
  { program: "bash", package: "bash" },
  { program: "zsh", package: "zsh" },
  { program: "fish", package: "fish" },
  { program: "man", package: "man-db" },
  { program: "mandoc", package: "mandoc" },
];

if (import.meta.main) {
  try {
    await installMissing(NEEDED);
  } catch (error) {
    // deno-lint-ignore no-console
    console.error(error instanceof Error ? error.message : error);
    Deno.exit(1);
  }
}
