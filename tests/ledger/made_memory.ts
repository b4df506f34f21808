import type { Decision } from "../../src/model/decision.ts";
import { madeMemory, NO_CHANGES } from "../support/made_events.ts";

/** A server, its port and a floating IP, there or deleted. */
export function memoryOf(number: string, deleted: boolean): Decision["changes"] {
  const portId = `p${number}`;
  return {
    ...NO_CHANGES,
    servers: [madeMemory(`s${number}`, { deleted })],
    ports: [{
      id: portId,
      serverId: null,
      lastServerId: `s${number}`,
      mac: null,
      fixedAddresses: [],
      dnsName: null,
      dnsHostname: null,
      revision: null,
      deleted,
    }],
    floatingIps: [{
      id: `f${number}`,
      address: "192.0.2.1",
      projectId: null,
      portId,
      fixedAddress: null,
      revision: null,
      deleted,
      transitions: 2,
      association: null,
    }],
  };
}
