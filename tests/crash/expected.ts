// What the operations must lead to: a model of its own, as simple as the rules allow, that knows nothing of src/facts.
import { firstState, type FloatingIp, type Operation, type Server, type ServerState } from "./cloud.ts";

/** One event that every plugin must get. */
export interface ExpectedEvent {
  readonly key: string;
  readonly created: boolean;
  readonly serverId: string;
  /** What the detail says as IP. */
  readonly address: string;
  /** Events that share one of these must arrive in the order in which they were expected. */
  readonly orderKeys: readonly string[];
}

/** The events of these operations, in order. */
export function expectedEvents(operations: readonly Operation[]): ExpectedEvent[] {
  const model = new Model();
  return operations.flatMap((operation) => model.expect(operation));
}

/** Knows which floating IP is with which server, and how often each changed. */
export class Model {
  readonly #serverOf = new Map<FloatingIp, Server>();
  readonly #transitions = new Map<FloatingIp, number>();
  /** The state of each server that is there, by its id: what a target must hold in the end. */
  readonly states = new Map<string, ServerState>();

  /** The events of the next operation. */
  expect(operation: Operation): ExpectedEvent[] {
    switch (operation.op) {
      case "create server":
        this.states.set(operation.server.id, firstState(operation.server));
        return [life(operation.server, true)];
      case "change server":
        this.states.set(operation.server.id, operation.state);
        return [];
      case "delete server": {
        this.states.delete(operation.server.id);
        const ips = [...this.#serverOf].filter(([, server]) => server === operation.server).map(([ip]) => ip);
        return [...ips.flatMap((ip) => this.#end(ip)), life(operation.server, false)];
      }
      case "create address":
        return operation.server === null ? [] : this.#begin(operation.ip, operation.server);
      case "associate":
        return [...this.#end(operation.ip), ...this.#begin(operation.ip, operation.server)];
      case "disassociate":
      case "delete address":
        return this.#end(operation.ip);
      case "edit address":
        return [];
    }
  }

  #begin(ip: FloatingIp, server: Server): ExpectedEvent[] {
    this.#serverOf.set(ip, server);
    return [this.#association(ip, { server, created: true })];
  }

  #end(ip: FloatingIp): ExpectedEvent[] {
    const server = this.#serverOf.get(ip);
    this.#serverOf.delete(ip);
    return server === undefined ? [] : [this.#association(ip, { server, created: false })];
  }

  #association(
    ip: FloatingIp,
    { server, created }: { readonly server: Server; readonly created: boolean },
  ): ExpectedEvent {
    const transition = (this.#transitions.get(ip) ?? 0) + 1;
    this.#transitions.set(ip, transition);
    return {
      key: `floatingip/${ip.id}/${transition}/${created ? "creation" : "deletion"}`,
      created,
      serverId: server.id,
      address: ip.address,
      orderKeys: [...keysOf(server), `address ${ip.address}`],
    };
  }
}

function life(server: Server, created: boolean): ExpectedEvent {
  return {
    key: `server/${server.id}/${created ? "creation" : "deletion"}`,
    created,
    serverId: server.id,
    address: server.fixedAddress,
    orderKeys: keysOf(server),
  };
}

/** The server, and the name and the fixed address that another server may take after it. */
function keysOf({ id, name, projectId, fixedAddress }: Server): string[] {
  return [`server ${id}`, `name ${projectId} ${name}`, `fixed ${projectId} ${fixedAddress}`];
}
