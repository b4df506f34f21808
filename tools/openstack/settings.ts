/** How Nova and Neutron publish notifications. */
export interface Notifying {
  readonly novaFormat: "unversioned" | "versioned" | "both";
  /** With two, each of them sends every notification. */
  readonly novaDrivers: readonly Driver[];
  readonly neutronDrivers: readonly Driver[];
  readonly topics: readonly string[];
  readonly versionedTopics: readonly string[];
  /** How long a deletion is a soft one, in seconds. @default 0: none is */
  readonly reclaimSeconds?: number;
}

export type Driver = "messaging" | "messagingv2";

/** A compute host, in an availability zone of its kind. */
export interface Compute {
  readonly host: string;
  readonly zone: string;
  /** A class of `nova.virt.fake`. */
  readonly driver: string;
}

export const COMPUTES: readonly Compute[] = [
  { host: "compute-1", zone: "zone-1", driver: "FakeDriver" },
  { host: "compute-2", zone: "zone-abort", driver: "FakeBuildAbortDriver" },
  { host: "compute-3", zone: "zone-retry", driver: "FakeRescheduleDriver" },
  { host: "compute-4", zone: "zone-retry", driver: "MediumFakeDriver" },
];

export const ADDRESS = "127.0.0.1";
export const REGION = "RegionOne";
/** The domain that Neutron gives the names of ports. */
export const DNS_DOMAIN = "cloud.example.org";

export interface Ports {
  readonly mysql: number;
  readonly keystone: number;
  readonly glance: number;
  readonly placement: number;
  readonly nova: number;
  readonly neutron: number;
}

/** Values that all of the cloud's files share. */
export interface Site {
  readonly dir: string;
  readonly ports: Ports;
  /** The password of the administrator, the services and the database, generated for each cloud. */
  readonly secret: string;
  /** `rabbit://…` */
  readonly transport: string;
  /**
   * Whether services declare durable queues, the only ones that later brokers accept from them.
   */
  readonly hasQuorumQueues: boolean;
  readonly computes: readonly Compute[];
}
