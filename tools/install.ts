// Installs what the tests need. Part of `deno task test`: quiet and fast when everything is there.
import { CHROMIUM } from "./chromium.ts";
import { DESIGNATE } from "./openstack/designate.ts";
import { installMissing, type Requirement } from "./packages.ts";
import { POSTGRES } from "./postgres/server.ts";
import { RABBITMQ } from "./rabbitmq.ts";

const NEEDED: readonly Requirement[] = [
  RABBITMQ,
  // Its package makes a cluster of its own, which is not started either.
  POSTGRES,
  { program: "openssl", package: "openssl" },
  { program: "python3", package: "python3" },
  { program: "oslo-config-generator", package: "python3-oslo.config" },
  { program: "slapd", package: "slapd", places: ["/usr/sbin/slapd"] },
  { program: "ldapmodify", package: "ldap-utils" },
  { program: "ns-slapd", package: "389-ds-base", places: ["/usr/sbin/ns-slapd"] },
  // A domain controller of Active Directory, and what a new domain is made of.
  { program: "samba", package: "samba-ad-dc", places: ["/usr/sbin/samba"] },
  {
    program: "samba's schema of Active Directory",
    package: "samba-ad-provision",
    file: "/usr/share/samba/setup/provision.ldif",
  },
  { program: "named", package: "bind9", places: ["/usr/sbin/named"] },
  { program: "nsupdate", package: "bind9-dnsutils" },
  { program: "knotd", package: "knot", places: ["/usr/sbin/knotd"] },
  ...DESIGNATE,
  { program: "pdns_server", package: "pdns-server", places: ["/usr/sbin/pdns_server"] },
  {
    program: "its SQLite backend",
    package: "pdns-backend-sqlite3",
    file: "/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql",
  },
  { program: "nats-server", package: "nats-server", places: ["/usr/sbin/nats-server"] },
  CHROMIUM,
  { program: "sqlite3", package: "sqlite3" },
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
