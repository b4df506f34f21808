/**
 * Which updates the recorded runs lead to, read off their operations and messages by hand: an oracle that shares nothing with `src/`.
 *
 * Both event groups list servers and associations, `settleSeconds` is 3. An update is due three seconds after the first message that
 * differs, by the times of the messages, and says what the last message before that states.
 *
 * @module
 */

/** One update. */
export interface ExpectedUpdate {
  /** The operation whose change it tells, or the last of them: `step` in operations.jsonl. */
  readonly step: number;
  /** `server/<id>/update/<n>` */
  readonly key: string;
  /** The changed keys, each with its value before and after. */
  readonly changed: Readonly<Record<string, readonly [before: unknown, after: unknown]>>;
}

const beamCtl02 = "b7d20e4e-ba30-4575-b254-c1bb767a6f0d";
const secondTry = "efac951b-02c0-4ccf-809d-f69546d63970";
const shop01 = "9e33f643-3c95-48c3-a75b-a0d3108f3251";
const dualStack01 = "8a790793-d72c-486a-bd69-fdceadb96885";
const cli01 = "4a4122be-932b-4ae0-9ed1-6c4d621c811d";

const windows = "9ec662da-5c34-4605-b84d-0c993baa6d55";
const ubuntu = "1eac6378-2853-481b-840c-ef3474a8996f";

/** The metadata of shop-01: as it was created, after step 65, after step 78. */
const created = {
  owner: "alice,dc=example",
  additional_users: " bob ;; carol,,bob,*)(uid=*",
  description: 'line "one" \\ <b>',
  application_name: "ünïcode – ✓",
  empty: "",
  long: "v".repeat(255),
  "a b:c_d-e.f": "key with odd characters",
};
const { long: _, ...kept } = created;
const edited = { ...kept, owner: "carol-191249", new: "key" };
const rebuilt = { owner: "bob-191249" };

/** 64: metadata updated. 65: a key deleted. 66: renamed and described, of which no key of the detail tells. 67–73: no key, either. */
const edit: ExpectedUpdate = update(65, shop01, 1, {
  Owner: ["alice,dc=example", "carol-191249"],
  Metadata: [created, edited],
});

/**
 * 74–77: resized, confirmed, resized back: three seconds after the first message of the new flavor the old one is there again. That
 * resize is reverted, and the server rebuilt with other metadata within three seconds. 79–82: no key.
 */
const rebuild = update(78, shop01, 2, {
  CPU: [4, 8],
  Ram: [8, 16],
  Storage: [40, 80],
  ImageID: [windows, ubuntu],
  Owner: ["carol-191249", "bob-191249"],
  AdditionalUsers: [["bob ;; carol", "bob", "*)(uid=*"], []],
  ApplicationName: ["ünïcode – ✓", null],
  Metadata: [edited, rebuilt],
});

const port1 = fixed("10.21.0.21", "fa:16:3e:89:18:dd", "webshop-191249-net-a");
/** The port of step 83: Neutron does not name its network, a versioned message does. */
const port2 = (network: string | null) => fixed("10.22.0.10", "fa:16:3e:d2:6b:21", network);

/** 83: an interface attached; 84: it is detached again 3.4 seconds later. */
const interfaces = (network: string | null) => [
  update(83, shop01, 3, { Addresses: [[port1], [port1, port2(network)]] }),
  update(84, shop01, 4, { Addresses: [[port1, port2(network)], [port1]] }),
];

const dual = ["10.12.0.239", "2001:db8:12::73"].map((address) =>
  fixed(address, "fa:16:3e:f1:2a:fb", "physics-191249-net-b")
);
const beam = (address: string) => [
  fixed(address, "fa:16:3e:81:66:a8", "physics-191249-net-a"),
  fixed("10.12.0.41", "fa:16:3e:b6:ce:56", "physics-191249-net-b"),
  fixed("2001:db8:12::ff", "fa:16:3e:b6:ce:56", "physics-191249-net-b"),
];

const ports: readonly ExpectedUpdate[] = [
  // 94: the only port is deleted under the running server.
  update(94, dualStack01, 1, {
    IP: ["10.12.0.239", null],
    IPType: ["Private", null],
    MAC: ["fa:16:3e:f1:2a:fb", null],
    Addresses: [dual, []],
  }),
  // 95: another fixed address, on the same port.
  update(95, beamCtl02, 1, {
    IP: ["10.11.0.160", "10.11.0.77"],
    Addresses: [beam("10.11.0.160"), beam("10.11.0.77")],
  }),
  // 119: its ports are updated by security groups: nothing. 120: they are deleted a second before the server: nothing.
];

/** 101: renamed, of which no key tells, and metadata added. */
const cli: ExpectedUpdate = update(101, cli01, 1, {
  ApplicationName: [null, "App"],
  Metadata: [
    { owner: "bob-191249", environment_ci: "CI-1" },
    { owner: "bob-191249", environment_ci: "CI-1", application_name: "App" },
  ],
});

const system = ["windows 2022", "ubuntu 22.04"] as const;
const description = created.description;

/** `update: "all"` */
export const ALL: Readonly<Record<string, readonly ExpectedUpdate[]>> = {
  // Without descriptions.
  "unversioned.jsonl": [
    edit,
    { ...rebuild, changed: { ...rebuild.changed, OS: system, Description: [description, null] } },
    ...interfaces(null),
    ...ports,
    cli,
  ],
  // Without facts about images, and without Neutron. The interface is detached within three seconds of the message that it is attached.
  "versioned.jsonl": [
    edit,
    { ...rebuild, changed: { ...rebuild.changed, Description: [description, "changed"] } },
    cli,
  ],
  both: [
    edit,
    { ...rebuild, changed: { ...rebuild.changed, OS: system, Description: [description, "changed"] } },
    ...interfaces("webshop-191249-net-b"),
    ...ports,
    cli,
  ],
  // 14: renamed, of which no key tells. All else are creations, deletions and associations.
  "v1-no-envelope.jsonl": [],
};

/** `update` lists the five optional keys. */
const optional: readonly ExpectedUpdate[] = [
  // 14: beam-ctl-01 is renamed, and deleted two seconds later: nothing.
  // 66: renamed. 67–71: stopped, started, paused, unpaused, suspended within three seconds of step 64.
  update(71, shop01, 1, { Name: ["shop-01", "shop-01-neu"], Status: ["ACTIVE", "SUSPENDED"] }),
  // 72: resumed. 73: rebooted.
  update(73, shop01, 2, { Status: ["SUSPENDED", "ACTIVE"] }),
  // 74, 75: resized and confirmed; 76: resized back.
  update(76, shop01, 3, { Status: ["ACTIVE", "VERIFY_RESIZE"] }),
  // 77: that is reverted. 78: rebuilt. 79: shelved.
  update(79, shop01, 4, { Flavor: ["c2.large", "c2.xlarge"], Status: ["VERIFY_RESIZE", "SHELVED"] }),
  // 79: offloaded, without host and zone for less than three seconds. 80: unshelved on the same host.
  update(80, shop01, 5, { Status: ["SHELVED", "ACTIVE"] }),
  // 101: renamed.
  update(101, cli01, 1, { Name: ["cli-01", "cli-01-renamed"] }),
  // 110: stopped, and deleted within three seconds: nothing. 111: shelved and offloaded, likewise. 114: nothing.
  // 112: migrated; the migration is confirmed within three seconds.
  update(112, secondTry, 1, { Host: ["compute-4", "compute-3"] }),
];

export const OPTIONAL: typeof ALL = {
  "unversioned.jsonl": optional,
  "versioned.jsonl": optional,
  both: optional,
  "v1-no-envelope.jsonl": [],
};

function update(step: number, server: string, number: number, changed: ExpectedUpdate["changed"]): ExpectedUpdate {
  return { step, key: `server/${server}/update/${number}`, changed };
}

function fixed(address: string, mac: string, network: string | null) {
  return { address, mac, type: "fixed", network, version: address.includes(":") ? 6 : 4 };
}
