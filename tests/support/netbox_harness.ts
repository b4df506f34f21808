import type { Detail, Subject } from "oss-watcher";
import { type Behaviour, sampleEvent, type TargetHarness, TcpGate } from "oss-watcher/testing";
import type { Tokens } from "../netbox/conversation.ts";
import { NetBoxClient, PATHS } from "../netbox/netbox_client.ts";
import type { NetBoxSource, OpenedNetBox } from "../netbox/source.ts";
import { type Machine, machinesIn } from "../netbox/tree.ts";
import { HttpProxy, type ProxiedAnswer, type ProxiedRequest } from "./http_proxy.ts";

/** What a web server before NetBox answers, when NetBox is away, broken, or not to be written to. */
const STATUSES: Readonly<Partial<Record<Behaviour, number>>> = { busy: 503, fails: 500, refuses: 422 };
/** As many as the contract uses. */
const SAMPLES = 40;
const SERVERS: readonly Detail[] = Array.from(
  { length: SAMPLES },
  (_, index) => sampleEvent({ server: index + 1 }).detail,
);

/** A server with its objects, or a floating IP of one. */
export type NetBoxTaken = Pick<Machine, "id" | "name" | "interfaces" | "floating">;

/** A real NetBox, or a recorded one, behind a web server that can be told how to behave. */
export class NetBoxHarness implements TargetHarness<NetBoxTaken> {
  readonly tokens: Tokens;
  readonly #netbox: OpenedNetBox;
  readonly #subject: Subject;
  #behaviour: Behaviour = "accepts";
  #front!: HttpProxy;
  #direct!: HttpProxy;
  #gate!: TcpGate;

  private constructor(netbox: OpenedNetBox, subject: Subject) {
    this.#netbox = netbox;
    this.#subject = subject;
    this.tokens = netbox.tokens;
  }

  /** @param subject What it takes in: servers, or floating IPs of servers that are there. */
  static async open(
    source: NetBoxSource,
    { scenario, subject }: { readonly scenario: string; readonly subject: Subject },
  ): Promise<NetBoxHarness> {
    const harness = new NetBoxHarness(await source.open(scenario), subject);
    harness.#front = await HttpProxy.open((request) => harness.#answer(request));
    harness.#direct = await HttpProxy.open(harness.#netbox.handle);
    harness.#gate = new TcpGate({ hostname: "127.0.0.1", port: harness.#front.port });
    if (subject === "floatingip") await harness.#netbox.prepare(addServers);
    return harness;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#gate.port}`;
  }

  behave(behaviour: Behaviour): void {
    this.#behaviour = behaviour;
    this.#gate.set(behaviour === "down" || behaviour === "breaks" || behaviour === "hangs" ? behaviour : "passes");
  }

  reached(): Promise<void> {
    return this.#gate.reached();
  }

  async taken(): Promise<readonly NetBoxTaken[]> {
    const machines = machinesIn(await this.#client.rows());
    const taken = machines.map(({ id, name, interfaces, floating }) => ({ id, name, interfaces, floating }));
    return this.#subject === "server" ? taken : taken.filter(({ floating }) => floating.length > 0);
  }

  /** Objects of a server without the custom field, and with an empty one. */
  async addForeign(): Promise<void> {
    const cluster = { name: "openstack" };
    const rows = [{ name: "foreign 1", cluster }, { name: "foreign 2", cluster, custom_fields: { openstack_id: "" } }];
    await this.#client.make(PATHS.machines, rows);
    await this.#client.make(PATHS.addresses, [{ address: "192.0.2.1/24" }]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#gate[Symbol.asyncDispose]();
    await this.#front[Symbol.asyncDispose]();
    await this.#direct[Symbol.asyncDispose]();
  }

  get #client(): NetBoxClient {
    return new NetBoxClient(`http://127.0.0.1:${this.#direct.port}`, this.tokens.admin);
  }

  async #answer(request: ProxiedRequest): Promise<ProxiedAnswer | null> {
    const status = STATUSES[this.#behaviour];
    // It quotes the request with its credentials, so that a careless error text would show them.
    if (status !== undefined) return { status, body: JSON.stringify(request) };
    const isUnknown = this.#behaviour === "unauthorized";
    return await this.#netbox.handle(isUnknown ? { ...request, authorization: "Bearer nbt_unknown.token" } : request);
  }
}

/** As the plugin writes them. */
async function addServers(client: NetBoxClient): Promise<void> {
  const fields = SERVERS.map(({ ID }) => ({ custom_fields: { openstack_id: ID } }));
  const machines = await client.make(
    PATHS.machines,
    SERVERS.map(({ FQDN }, index) => ({ name: FQDN, cluster: { name: "openstack" }, ...fields[index] })),
  );
  const interfaces = await client.make(
    PATHS.interfaces,
    SERVERS.map(({ MAC }, index) => ({
      ...{ virtual_machine: machines[index]?.id, name: MAC, mac_address: MAC },
      ...fields[index],
    })),
  );
  await client.make(
    PATHS.addresses,
    SERVERS.map(({ IP }, index) => ({
      ...{ address: `${IP}/32`, assigned_object_type: "virtualization.vminterface" },
      ...{ assigned_object_id: interfaces[index]?.id, ...fields[index] },
    })),
  );
}
