/** How Nova and Neutron say what happens. */
export interface Notifying {
  readonly novaFormat: "unversioned" | "versioned" | "both";
  /** With two, each of them sends every notification. */
  readonly novaDrivers: readonly Driver[];
  readonly neutronDrivers: readonly Driver[];
  readonly topics: readonly string[];
  readonly versionedTopics: readonly string[];
  /** A deletion is a soft one for so long. @default 0: none is */
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

/** What all of the cloud's files have in common. */
export interface Site {
  readonly dir: string;
  readonly ports: Ports;
  /** Of the administrator, the services and the database: invented anew for each cloud. */
  readonly secret: string;
  /** `rabbit://…` */
  readonly transport: string;
  /**
   * Services make queues that outlive the broker: the only ones that later brokers take from them.
   */
  readonly hasQuorumQueues: boolean;
  readonly computes: readonly Compute[];
}
