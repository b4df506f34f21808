/**
 * The detail that a server of the model must have: made of the model alone.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Detail } from "../../src/model/detail.ts";
import { addressesOf, CREATED_AT, type Format, PROJECT, USER, versionOf } from "./messages.ts";
import type { ModelCloud, ModelServer } from "./model_cloud.ts";

const STATUS: Readonly<Record<string, string>> = { stopped: "SHUTOFF", resized: "VERIFY_RESIZE" };

/** Checks what a detail says against the model. */
export function assertTrue(
  detail: Detail,
  { server, cloud, format, keys }: {
    readonly server: ModelServer;
    readonly cloud: ModelCloud;
    readonly format: Format;
    /** Those that are looked at. */
    readonly keys: ReadonlySet<string>;
  },
): void {
  const { flavor, image, metadata, description } = server;
  const metadataOf = (name: string) =>
    Object.entries(metadata).find(([key]) => key.toLowerCase() === name)?.[1] ?? null;
  const users = metadataOf("additional_users");
  const own = format === "legacy" ? null : description;
  const expected: Partial<Detail> = {
    FQDN: server.hostname,
    OS: format === "versioned" || image.distro === null
      ? null
      : image.version === null
      ? image.distro
      : `${image.distro} ${image.version}`,
    Storage: flavor.rootGb + flavor.ephemeralGb,
    Ram: flavor.memoryMb / 1024,
    CPU: flavor.vcpus,
    Datacenter: null,
    SecurityDomain: null,
    Owner: metadataOf("owner"),
    AdditionalUsers: users === null ? [] : users.split(", "),
    ApplicationName: metadataOf("application_name"),
    EnvironmentCI: metadataOf("environment_ci"),
    Description: metadataOf("description") ?? own,
    CreationDate: CREATED_AT.slice(0, 10),
    ID: server.id,
    ImageID: image.id,
    ProjectID: PROJECT,
    ProjectName: "physics",
    UserID: USER,
    UserName: "alice",
    RemoteAddress: null,
    Metadata: metadata,
    Name: server.name,
    Zone: server.zone,
    Host: server.host,
    Status: STATUS[server.state] ?? server.state.toUpperCase(),
    Flavor: flavor.name,
  };
  for (const [key, value] of Object.entries(expected)) {
    if (keys.has(key)) assert.deepEqual(detail[key], value, `${server.id} ${key}`);
  }
  if (keys.has("Addresses")) assertAddresses(detail, server);
  if (keys.has("FloatingIPs")) {
    const floatingIps = cloud.floatingIps.filter(({ port }) => port?.server === server);
    assert.deepEqual(
      detail.FloatingIPs.toSorted((one, other) => one.id < other.id ? -1 : 1),
      floatingIps.map(({ id, address, fixedAddress }) => ({ id, address, fixedAddress })),
      `${server.id} FloatingIPs`,
    );
  }
}

/** OpenStack has addresses in no order, and Neutron does not name their networks. */
function assertAddresses({ Addresses, IP, IPType, MAC }: Detail, server: ModelServer): void {
  const addresses = addressesOf(server);
  assert.deepEqual(
    Addresses.map(({ address, mac, version, type }) => ({ address, mac, version, type })).toSorted(byAddress),
    addresses.map(({ address, mac }) => ({ address, mac, version: versionOf(address), type: "fixed" })).toSorted(
      byAddress,
    ),
    `${server.id} Addresses`,
  );
  const main = addresses.find(({ address }) => address === IP);
  assert.deepEqual([IP === null, IPType, MAC], [addresses.length === 0, IP && "Private", main?.mac ?? null]);
  const hasIpv4 = addresses.some(({ address }) => versionOf(address) === 4);
  if (hasIpv4) assert.equal(versionOf(IP!), 4, `${server.id} IP`);
}

function byAddress({ address: one }: { address: string }, { address: other }: { address: string }): number {
  return one < other ? -1 : 1;
}
