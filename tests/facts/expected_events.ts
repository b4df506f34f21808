/**
 * What the two recorded runs mean, read off their operations by hand: an oracle that shares nothing with `src/facts`.
 *
 * Both event groups list `compute.instance.create.end`, `compute.instance.delete.end` and `floatingip.update.end`, and
 * `events.anyPort` is off. The order is that of the messages; second formats, copies and redeliveries add nothing.
 *
 * @module
 */

/** One event of a run. */
export interface ExpectedEvent {
  /** The operation that caused it: `step` in operations.jsonl or operations-v1.jsonl. */
  readonly step: number;
  /** `server/<id>/creation|deletion` or `floatingip/<id>/<n>/creation|deletion`. */
  readonly key: string;
  /**
   * The floating address, or the server's first fixed address as created. For the deletion of a server without a
   * remembered creation: the first address of the `port.delete.end` before it. `null`: it never had any.
   */
  readonly ip: string | null;
  /** The server's UUID; at the end of an association the server that loses the address. */
  readonly server: string | null;
  /** False only for the deletion of a server that had no `create.end`. */
  readonly creationSeen: boolean;
}

interface FloatingIp {
  readonly id: string;
  readonly address: string;
}

const beamCtl01 = "4818c5b1-ac0b-4458-9eed-faf8936ad379";
const beamCtl02 = "b7d20e4e-ba30-4575-b254-c1bb767a6f0d";
const tooBig = "3f047a77-22a5-43c7-9586-430891ee0fec";
const aborted = "8359af49-4303-4bf6-b966-ecca8cf9900b";
const secondTry = "efac951b-02c0-4ccf-809d-f69546d63970";
const slowAndDeleted = "3de4fac7-673b-4eba-a2f2-9210cdeaf975";
const unicodeName = "d0fd681e-3fcc-444c-a241-71e5912e050e";
const ldapName = "4ef09ba9-f880-45d8-bc5d-23872c957363";
const sqlName = "90314423-3906-41b3-9e47-c8e2b6cabf6d";
const shellName = "2e0fd687-59ec-4fd9-bceb-4d5bfc1837ed";
const markupName = "a5b52991-1d3c-44e2-861b-4c01091e587c";
const longName = "3590882e-ba3c-454c-81ab-0b4791e6fd7b";
const shop01 = "9e33f643-3c95-48c3-a75b-a0d3108f3251";
const metaTest = "2df933dc-b84b-4b26-9f48-717b4ab3cd8c";
const prepared01 = "3ab7c61d-c4f1-40d3-8254-f03a0b93215c";
const lonely = "501cc37c-488e-4215-bf4b-b99423835372";
const dualStack01 = "8a790793-d72c-486a-bd69-fdceadb96885";
const batch1 = "254796c6-0ae6-4e4d-9216-5e06b9e15e95";
const batch2 = "c1c4e7eb-2515-4280-996e-3a357fe65f9f";
const batch3 = "67be7f3d-aada-44db-90ec-444648f034c5";
const crashed = "96589332-e84d-4cd8-846d-1b7a284d92e2";
const slow01 = "5a010c99-0fd0-463b-91a5-6a42191c39a6";
const robot01 = "c7e93c18-9c4e-4a4a-ab9c-64582ddf6dfd";
const shop02 = "4a54bbb2-7c8d-40d0-95f3-27a1022373d5";
const shop03 = "2a694845-7cd1-435f-827a-5aba34af2978";
const cli01 = "4a4122be-932b-4ae0-9ed1-6c4d621c811d";
const page0 = "a83abd8f-7931-4021-bbfa-78faafe4d414";
const page1 = "6f340301-f775-48cb-8b7b-736d261f5cf3";
const page2 = "6b0ef9df-c02b-40bb-bf0c-c812bd84bf19";
const orphanImage = "c7ff9a79-5269-4a98-9224-460894184407";

const movedFip: FloatingIp = { id: "8d58b4a7-0471-4678-8fc2-7d6f929bab45", address: "203.0.113.237" };
const deletedFip: FloatingIp = { id: "d9839822-857b-485d-8bc1-636b3c13e652", address: "203.0.113.35" };
const survivingFip: FloatingIp = { id: "15d3ebc7-2144-43ad-88fe-998ff62b47ca", address: "203.0.113.61" };
const preparedFip: FloatingIp = { id: "518cb779-b01b-49b1-8c79-cad03f549574", address: "203.0.113.173" };
const adminFip: FloatingIp = { id: "bd4224ec-3662-449b-81d8-2e0c92196e3c", address: "203.0.113.23" };
const cliFip: FloatingIp = { id: "7935885b-d4fc-48dc-a9b1-7f72cee1976e", address: "203.0.113.249" };

/** The run of operations.jsonl: unversioned.jsonl and versioned.jsonl, with or without monitoring.jsonl, by time. */
export const EXPECTED: readonly ExpectedEvent[] = [
  // 1: projects, users, networks, routers: nothing.
  // 2: a server with one NIC.
  came(2, beamCtl01, "10.11.0.21"),
  // 3: a server with two NICs, the second one dual stack: the first address of the first NIC.
  came(3, beamCtl02, "10.11.0.160"),

  // 4: a floating IP is created free: nothing. 5: it is associated.
  began(5, movedFip, 1, beamCtl01),
  // 6: only its description changes while associated: nothing.
  // 7: it is moved to the other server: one message, two transitions.
  ended(7, movedFip, 2, beamCtl01),
  began(7, movedFip, 3, beamCtl02),
  // 8: it is disassociated.
  ended(8, movedFip, 4, beamCtl02),
  // 9: only its description changes while free: nothing. 10: it is deleted while free: nothing.

  // 11: a floating IP is created associated (no update follows).
  began(11, deletedFip, 1, beamCtl01),
  // 12: it is deleted while associated.
  ended(12, deletedFip, 2, beamCtl01),

  // 13: a floating IP is created associated. 14: the server is renamed: nothing.
  began(13, survivingFip, 1, beamCtl01),
  // 15: the server is deleted with the address on it: no floatingip message; port.delete.end comes before delete.end.
  ended(15, survivingFip, 2, beamCtl01),
  went(15, beamCtl01, "10.11.0.21"),

  // 16: no valid host: never a create.end. 17: that server is deleted; it never had a port.
  wentUnseen(17, tooBig, null),
  // 18: the driver aborts the build; the port goes at once. 19: the server in ERROR is deleted.
  wentUnseen(19, aborted, "10.11.0.23"),
  // 20: the first host refuses (its port, 10.11.0.87, goes again), the second accepts with a new port.
  came(20, secondTry, "10.11.0.114"),
  // 21: a slow build. 22: deleted while spawning: port.delete.end, delete.end, no create.end.
  wentUnseen(22, slowAndDeleted, "10.11.0.163"),
  // 23, 24: created and deleted right after the request: no message of either.

  // 25-36: hostile names, each server created and deleted.
  came(25, unicodeName, "10.11.0.83"),
  went(26, unicodeName, "10.11.0.83"),
  came(27, ldapName, "10.11.0.8"),
  went(28, ldapName, "10.11.0.8"),
  came(29, sqlName, "10.11.0.112"),
  went(30, sqlName, "10.11.0.112"),
  came(31, shellName, "10.11.0.203"),
  went(32, shellName, "10.11.0.203"),
  came(33, markupName, "10.11.0.9"),
  went(34, markupName, "10.11.0.9"),
  came(35, longName, "10.11.0.186"),
  went(36, longName, "10.11.0.186"),
  // 37-43: names that Nova refuses (400): nothing.

  // 44: a server with hostile metadata.
  came(44, shop01, "10.21.0.21"),
  // 45, 46, 48: metadata that Nova refuses: nothing.
  // 47: a newline in a metadata value is accepted; the same step deletes that server again.
  came(47, metaTest, "10.21.0.245"),
  went(47, metaTest, "10.21.0.245"),
  // 49: a four-byte character in a metadata value: accepted (202), then lost: no create.* or delete.*.

  // 50: a server on a user's port with two fixed addresses.
  came(50, prepared01, "10.11.0.200"),
  // 51: a server without network.
  came(51, lonely, null),
  // 52: a dual-stack server.
  came(52, dualStack01, "10.12.0.239"),

  // 53: three in one request, in the order in which their builds end.
  came(53, batch1, "10.11.0.57"),
  came(53, batch2, "10.11.0.184"),
  came(53, batch3, "10.11.0.249"),
  // 54: all three are deleted, the last one first.
  went(54, batch3, "10.11.0.249"),
  went(54, batch2, "10.11.0.184"),
  went(54, batch1, "10.11.0.57"),

  // 55: the driver crashes on every host: port created and deleted, no create.end. 56: that server is deleted.
  wentUnseen(56, crashed, "10.11.0.180"),
  // 57: a slow build that ends well; two NICs.
  came(57, slow01, "10.11.0.151"),
  // 58, 59: created and deleted with an application credential.
  came(58, robot01, "10.11.0.239"),
  went(59, robot01, "10.11.0.239"),
  // 60, 61: created by one user, deleted by another.
  came(60, shop02, "10.21.0.153"),
  went(61, shop02, "10.21.0.153"),
  // 62, 63: created by a user, deleted by an administrator of another project.
  came(62, shop03, "10.21.0.149"),
  went(63, shop03, "10.21.0.149"),

  // 64-82: metadata, rename, stop … rebuild, shelve, unshelve, lock, unlock of shop-01: nothing.
  // 83, 84: an interface is attached and detached again; its port had no floating IP: nothing.

  // 85: a floating IP is created free, then associated with the second fixed address of the user's port.
  began(85, preparedFip, 1, prepared01),
  // 86: moved to the first fixed address of the same port: nothing. 87: refused (400): nothing.
  // 88: associated again with where it is: nothing.

  // 89: the address that outlived beam-ctl-01 is associated through Nova's old action. 90: disassociated through it.
  began(89, survivingFip, 3, beamCtl02),
  ended(90, survivingFip, 4, beamCtl02),
  // 91: associated with a port that has no server: remembered only. 92: that port is deleted: nothing.
  // 93: associated with the dual-stack server.
  began(93, survivingFip, 5, dualStack01),
  // 94: that port is deleted under the running server.
  ended(94, survivingFip, 6, dualStack01),
  // 95: beam-ctl-02 gets 10.11.0.77 instead of 10.11.0.160; its port has no floating IP now: nothing.

  // 96: an administrator creates a floating IP for another project, associated.
  began(96, adminFip, 1, shop01),
  // 97: port unset.
  ended(97, adminFip, 2, shop01),
  // 98: port set again.
  began(98, adminFip, 3, shop01),
  // 99: deleted while associated.
  ended(99, adminFip, 4, shop01),

  // 100: a server created with the command line client. 101: renamed, metadata set: nothing.
  came(100, cli01, "10.21.0.229"),
  // 102: a floating IP is created free: nothing. 103: added to the server. 104: removed from it.
  began(103, cliFip, 1, cli01),
  ended(104, cliFip, 2, cli01),
  // 105: the free address is deleted: nothing. 106: the server is deleted.
  went(106, cli01, "10.21.0.229"),

  // 107-109: three servers, requested one after the other without waiting; all end after step 109.
  came(107, page0, "10.21.0.140"),
  came(108, page1, "10.21.0.63"),
  came(109, page2, "10.21.0.217"),
  // 110: stopped, then deleted.
  went(110, page0, "10.21.0.140"),
  // 111: shelved and offloaded, then deleted: delete.end comes from the API host.
  went(111, page1, "10.21.0.63"),
  // 112: second-try is migrated to another host (its port is updated, same server): nothing.
  // 113: it is deleted while its compute service is down: delete.end comes from the API host.
  went(113, secondTry, "10.11.0.114"),
  // 114: force-delete.
  went(114, page2, "10.21.0.217"),

  // 115: the administrator's server, no network. 116: its image goes: nothing. 117: it is deleted.
  came(115, orphanImage, null),
  went(117, orphanImage, null),
  // 118: users, projects, groups: nothing.
  // 119: security groups, networks, routers; ports of beam-ctl-02 are updated, same server: nothing.

  // 120: beam-ctl-02 is deleted: no floating IP on it any more; the address as created, not that of step 95.
  went(120, beamCtl02, "10.11.0.160"),
  // 121: shop-01 is deleted; its floating IP was deleted in step 99.
  went(121, shop01, "10.21.0.21"),
  // 122: prepared-01 is deleted: the user's port is only unbound (port.update.end, before delete.end).
  ended(122, preparedFip, 2, prepared01),
  went(122, prepared01, "10.11.0.200"),
  // 123: the server without network is deleted.
  went(123, lonely, null),
  // 124: the dual-stack server is deleted; its port went in step 94, its address is the one as created.
  went(124, dualStack01, "10.12.0.239"),
  // 125: the server of the slow build is deleted; the port of its second NIC goes first.
  went(125, slow01, "10.11.0.151"),
  // 126: survivingFip is deleted while free: nothing.
  // 127: preparedFip is deleted while on the user's port, which has no server now: nothing.
];

const v1BeamCtl01 = "a3a6b1fc-b9dd-4848-b4f4-7ee8dae55738";
const v1BeamCtl02 = "6cf070f1-1064-4be3-bd78-f927a88cef07";
const v1TooBig = "35e96242-4458-43e0-a580-ce2a03327d1f";
const v1Aborted = "7df90a19-ad55-4d7c-91e1-4b51785f00b5";
const v1SecondTry = "41bf320d-f6ff-4db1-b86b-c47e950d1362";
const v1SlowAndDeleted = "81cc1eda-5b40-4f17-b580-90683f03cb48";

const v1MovedFip: FloatingIp = { id: "42bdfeef-0dd7-493e-a093-0023087fbb78", address: "203.0.113.173" };
const v1DeletedFip: FloatingIp = { id: "4aebda75-6631-4edc-828f-d44429526b94", address: "203.0.113.250" };
const v1SurvivingFip: FloatingIp = { id: "15d95826-322b-4d7a-be14-8ba3d0258857", address: "203.0.113.30" };

/** The run of operations-v1.jsonl: v1-no-envelope.jsonl, which holds all topics, copies included. */
export const EXPECTED_V1: readonly ExpectedEvent[] = [
  // 1: projects, users, networks, routers: nothing.
  // 2: a server with one NIC.
  came(2, v1BeamCtl01, "10.11.0.79"),
  // 3: a server with two NICs.
  came(3, v1BeamCtl02, "10.11.0.71"),

  // 4: a floating IP is created free: nothing. 5: it is associated.
  began(5, v1MovedFip, 1, v1BeamCtl01),
  // 6: only its description changes while associated: nothing. 7: it is moved to the other server.
  ended(7, v1MovedFip, 2, v1BeamCtl01),
  began(7, v1MovedFip, 3, v1BeamCtl02),
  // 8: it is disassociated.
  ended(8, v1MovedFip, 4, v1BeamCtl02),
  // 9: only its description changes while free: nothing. 10: it is deleted while free: nothing.

  // 11: a floating IP is created associated. 12: it is deleted while associated.
  began(11, v1DeletedFip, 1, v1BeamCtl01),
  ended(12, v1DeletedFip, 2, v1BeamCtl01),

  // 13: a floating IP is created associated. 14: the server is renamed: nothing.
  began(13, v1SurvivingFip, 1, v1BeamCtl01),
  // 15: the server is deleted with the address on it: port.delete.end comes before delete.end.
  ended(15, v1SurvivingFip, 2, v1BeamCtl01),
  went(15, v1BeamCtl01, "10.11.0.79"),

  // 16: no valid host. 17: that server is deleted; it never had a port.
  wentUnseen(17, v1TooBig, null),
  // 18: the driver aborts the build; the port goes at once. 19: the server in ERROR is deleted.
  wentUnseen(19, v1Aborted, "10.11.0.132"),
  // 20: the first host refuses (its port, 10.11.0.140, goes again), the second accepts with a new port.
  came(20, v1SecondTry, "10.11.0.225"),
  // 21: a slow build. 22: deleted while spawning: no create.end.
  wentUnseen(22, v1SlowAndDeleted, "10.11.0.19"),
  // 23, 24: created and deleted right after the request: no message of either.
  // 25, 26: the remaining servers are deleted.
  went(25, v1BeamCtl02, "10.11.0.71"),
  went(26, v1SecondTry, "10.11.0.225"),
  // 27: v1SurvivingFip is deleted while free: nothing.
];

function came(step: number, server: string, ip: string | null): ExpectedEvent {
  return { step, key: `server/${server}/creation`, ip, server, creationSeen: true };
}

function went(step: number, server: string, ip: string | null): ExpectedEvent {
  return { step, key: `server/${server}/deletion`, ip, server, creationSeen: true };
}

/** A server went that never had a `create.end`. */
function wentUnseen(step: number, server: string, ip: string | null): ExpectedEvent {
  return { ...went(step, server, ip), creationSeen: false };
}

function began(step: number, fip: FloatingIp, n: number, server: string): ExpectedEvent {
  return { step, key: `floatingip/${fip.id}/${n}/creation`, ip: fip.address, server, creationSeen: true };
}

function ended(step: number, fip: FloatingIp, n: number, server: string): ExpectedEvent {
  return { step, key: `floatingip/${fip.id}/${n}/deletion`, ip: fip.address, server, creationSeen: true };
}
