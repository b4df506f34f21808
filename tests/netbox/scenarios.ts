// What operators expect of NetBox, one thing each: told to a real NetBox, or to a recorded one.
import assert from "node:assert/strict";
import { DeliveryError, type Detail, type NotifyContext, PermanentError } from "../../mod.ts";
import { NetBox } from "../../plugins/netbox.ts";
import type { NetBoxOptions } from "../../plugins/netbox_options.ts";
import { context, detail as other, updateContext } from "../plugins/notification.ts";
import { HttpProxy, type ProxiedRequest } from "../support/http_proxy.ts";
import type { Tokens } from "./conversation.ts";
import { NetBoxClient, PATHS } from "./netbox_client.ts";
import type { NetBoxSource } from "./source.ts";
import { foreignIn, type Machine, machinesIn, type Row } from "./tree.ts";

const ID = "4818c5b1-ac0b-4458-9eed-faf8936ad379";
const ID2 = "9c2f0e77-58d1-4a7e-8f5e-2f7f9f1d5b10";
const MAC = "fa:16:3e:81:26:0e";
const MAC2 = "fa:16:3e:11:22:33";

/** A server with one port. */
const web: Detail = {
  ...other,
  ID,
  FQDN: "web-1",
  Description: "of its owner",
  ProjectName: "physics",
  Addresses: [fixed("10.11.0.21", MAC)],
};
/** Another one, of the same name. */
const twin: Detail = { ...web, ID: ID2, Addresses: [fixed("10.11.0.22", MAC2)] };
const FLOATING = { id: "f1", address: "203.0.113.237", fixedAddress: "10.11.0.21" };
const associated: Detail = { ...web, IP: FLOATING.address, IPType: "Public", FloatingIPs: [FLOATING] };

const MACHINE: Machine = {
  id: ID,
  name: "web-1",
  status: "active",
  cluster: "openstack",
  tenant: "physics",
  role: "server",
  platform: null,
  sizes: [2, 8192, 80000],
  primary4: "10.11.0.21/32",
  primary6: null,
  tags: [],
  comments: "",
  interfaces: ["FA:16:3E:81:26:0E: 10.11.0.21/32"],
  floating: [],
};

/** The fate of a request: whether it reaches NetBox, and whether the answer comes back. */
type Fate = "pass" | "lose" | "lose the answer";

/** A NetBox and the plugin for it. */
class Stage implements AsyncDisposable {
  readonly client: NetBoxClient;
  readonly plugin: NetBox;
  readonly tokens: Tokens;
  readonly notes: string[] = [];
  /** The requests of the plugin. */
  requests = 0;
  fate: () => Fate = () => "pass";
  /** What reaches NetBox of a request. */
  alter: (request: ProxiedRequest) => ProxiedRequest = (request) => request;
  readonly #proxies: readonly HttpProxy[];

  private constructor(proxies: readonly [HttpProxy, HttpProxy], tokens: Tokens, options: Partial<NetBoxOptions>) {
    const [direct, counted] = proxies.map(({ port }) => `http://127.0.0.1:${port}`);
    this.#proxies = proxies;
    this.tokens = tokens;
    this.client = new NetBoxClient(direct ?? "", tokens.admin);
    this.plugin = new NetBox({
      ...{ url: counted ?? "", token: tokens.watcher, createCustomFields: true, cluster: "openstack" },
      ...{ role: { slug: "server" }, tenant: ({ ProjectName }: Detail) => ProjectName },
      ...options,
    });
  }

  static async open(
    source: NetBoxSource,
    { scenario, options, run }: {
      readonly scenario: string;
      readonly options: (tokens: Tokens) => Partial<NetBoxOptions>;
      readonly run: (stage: Stage) => Promise<void>;
    },
  ): Promise<void> {
    const netbox = await source.open(scenario);
    let stage: Stage | undefined;
    await using direct = await HttpProxy.open(netbox.handle);
    await using counted = await HttpProxy.open(async (request) => {
      if (stage === undefined) return null;
      stage.requests++;
      const fate = stage.fate();
      if (fate === "lose") return null;
      const answer = await netbox.handle(stage.alter(request));
      return fate === "lose the answer" ? null : answer;
    });
    await using opened = stage = new Stage([direct, counted], netbox.tokens, options(netbox.tokens));
    await run(opened);
    netbox.assertSame();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.plugin[Symbol.asyncDispose]();
  }

  async create(detail: Detail, more: Partial<NotifyContext> = {}): Promise<void> {
    await this.plugin.notify(detail, true, this.#context(more));
  }

  async remove(detail: Detail): Promise<void> {
    await this.plugin.notify(detail, false, this.#context());
  }

  async associate(detail: Detail): Promise<void> {
    await this.plugin.notify(detail, true, this.#context({ subject: "floatingip" }));
  }

  async disassociate(detail: Detail): Promise<void> {
    await this.plugin.notify({ ...detail, FloatingIPs: [] }, false, this.#context({ subject: "floatingip" }));
  }

  async update(before: Detail, detail: Detail): Promise<void> {
    await this.plugin.update(detail, updateContext({ before, note: (text) => void this.notes.push(text) }));
  }

  async machines(): Promise<Machine[]> {
    return machinesIn(await this.client.rows());
  }

  /** The object of a server. */
  async row(id: string): Promise<Row> {
    const [row] = await this.client.all(PATHS.machines, `&cf_openstack_id=${id}`);
    assert.ok(row !== undefined, `NetBox has no ${id}`);
    return row;
  }

  async list(): Promise<unknown[]> {
    const listed: unknown[] = [];
    for await (const one of this.plugin.list(new AbortController().signal)) listed.push(one);
    return listed;
  }

  /** How many requests the plugin makes for something. */
  async requestsOf(what: () => Promise<void>): Promise<number> {
    const before = this.requests;
    await what();
    return this.requests - before;
  }

  #context(more: Partial<NotifyContext> = {}): NotifyContext {
    return context({ note: (text) => void this.notes.push(text), ...more });
  }
}

/** Registers the tests. */
export function testScenarios(source: NetBoxSource, kind: string): void {
  const test = (
    name: string,
    run: (stage: Stage) => Promise<void>,
    options: Partial<NetBoxOptions> | ((tokens: Tokens) => Partial<NetBoxOptions>) = {},
  ) =>
    Deno.test(`${name} (${kind})`, async () => {
      const make = typeof options === "function" ? options : () => options;
      await Stage.open(source, { scenario: name, options: make, run });
    });

  test("notify() writes a server with its interface, its address and its primary address", async (stage) => {
    await stage.create(web);
    assert.deepEqual([await stage.machines(), stage.notes], [[MACHINE], []]);
  });

  test("notify() and update() take few requests", async (stage) => {
    await stage.create(twin);
    const renamed = { ...associated, FQDN: "web-2" };
    const requests = {
      creation: await stage.requestsOf(() => stage.create(web)),
      repeated: await stage.requestsOf(() => stage.create(web)),
      association: await stage.requestsOf(() => stage.associate(associated)),
      update: await stage.requestsOf(() => stage.update(associated, renamed)),
      disassociation: await stage.requestsOf(() => stage.disassociate(renamed)),
      deletion: await stage.requestsOf(() => stage.remove(renamed)),
    };
    assert.deepEqual(requests, {
      ...{ creation: 5, repeated: 3, association: 2, update: 2, disassociation: 2, deletion: 4 },
    });
  }, { tenant: ({ ID: id }: Detail) => id === ID ? "physics" : null });

  test("update() renames the same virtual machine", async (stage) => {
    await stage.create(web);
    const { id } = await stage.row(ID);
    await stage.update(web, { ...web, FQDN: "web-2" });
    assert.deepEqual(await stage.machines(), [{ ...MACHINE, name: "web-2" }]);
    assert.equal((await stage.row(ID)).id, id);
  });

  test("update() keeps what people entered when a server moves", async (stage) => {
    await stage.create(web);
    const { id } = await stage.row(ID);
    const [port] = await stage.client.all(PATHS.interfaces);
    const byHand = {
      comments: "ask Anna",
      description: "the shop",
      serial: "4711",
      tags: [{ slug: "openstack-deleted" }],
    };
    await stage.client.change(PATHS.machines, [{ id, ...byHand, tags: [] }]);
    await stage.client.change(PATHS.interfaces, [{ id: port?.id, name: "eth0", mtu: 9000 }]);
    const [own] = await stage.client.make(PATHS.interfaces, [{ virtual_machine: id, name: "ipmi" }]);
    const on = { assigned_object_type: "virtualization.vminterface", assigned_object_id: own?.id };
    const [entered] = await stage.client.make(PATHS.addresses, [{ address: "192.0.2.9/24", ...on }]);
    const moved: Detail = {
      ...web,
      ...{ CPU: 4, ProjectName: "webshop", Host: "compute-2" },
      Addresses: [fixed("10.11.0.21", MAC), fixed("10.12.0.5", MAC2)],
    };
    await stage.update(web, moved);
    await stage.update(moved, { ...moved, Addresses: [fixed("10.12.0.5", MAC2)] });
    const row = await stage.row(ID);
    assert.deepEqual([row.id, row["comments"], row["description"], row["serial"]], [
      id,
      "ask Anna",
      "the shop",
      "4711",
    ]);
    assert.deepEqual(await stage.machines(), [{
      ...MACHINE,
      ...{ tenant: "webshop", sizes: [4, 8192, 80000], comments: "ask Anna", primary4: "10.12.0.5/32" },
      interfaces: ["FA:16:3E:11:22:33: 10.12.0.5/32", "no MAC: 192.0.2.9/24"],
    }]);
    const [stays] = await stage.client.all(PATHS.addresses, `&id=${entered?.id}`);
    assert.deepEqual(stays?.["assigned_object_id"], own?.id);
  });

  test("update() writes no field that has not changed", async (stage) => {
    await stage.create(web);
    const { id } = await stage.row(ID);
    await stage.client.change(PATHS.machines, [{ id, vcpus: 8, role: null, tenant: { slug: "webshop" } }]);
    await stage.update(web, { ...web, FQDN: "web-2" });
    assert.deepEqual(await stage.machines(), [{
      ...MACHINE,
      ...{ name: "web-2", role: null, tenant: "webshop", sizes: [8, 8192, 80000] },
    }]);
  });

  test("a status that people set stays, and its server is there", async (stage) => {
    await stage.create(web);
    const { id } = await stage.row(ID);
    const before = await stage.list();
    await stage.client.change(PATHS.machines, [{ id, status: "decommissioning" }]);
    await stage.update(web, { ...web, CPU: 4 });
    assert.deepEqual(await stage.machines(), [{ ...MACHINE, status: "decommissioning", sizes: [4, 8192, 80000] }]);
    await stage.update({ ...web, CPU: 4 }, web);
    assert.deepEqual(await stage.list(), before);
  });

  test("a server that is switched off is offline, and one that is deleted goes", async (stage) => {
    const on = { ...web, Status: "ACTIVE" };
    await stage.create(on);
    await stage.update(on, { ...on, Status: "SHUTOFF" });
    assert.deepEqual(await stage.machines(), [{ ...MACHINE, status: "offline" }]);
    await stage.remove(on);
    assert.deepEqual(await stage.machines(), []);
    assert.deepEqual(await stage.client.all(PATHS.addresses), []);
  });

  test("a floating IP is linked with its fixed address, and goes alone", async (stage) => {
    await stage.create(web);
    await stage.associate(associated);
    await stage.associate(associated);
    assert.deepEqual(await stage.machines(), [{ ...MACHINE, floating: ["203.0.113.237/32 > 10.11.0.21/32"] }]);
    await stage.disassociate(web);
    await stage.disassociate(associated);
    await stage.disassociate(associated);
    assert.deepEqual(await stage.machines(), [MACHINE]);
  });

  test("a floating IP that comes before its server is written with it; one that comes after is not", async (stage) => {
    await stage.associate(associated);
    assert.deepEqual(await stage.client.all(PATHS.addresses), []);
    await stage.create(associated);
    const both = [{ ...MACHINE, floating: ["203.0.113.237/32 > 10.11.0.21/32"] }];
    assert.deepEqual(await stage.machines(), both);
    await stage.remove(associated);
    await stage.associate(associated);
    assert.deepEqual([await stage.machines(), await stage.client.all(PATHS.addresses)], [[], []]);
  });

  test("a floating IP goes to the server with which it is associated last", async (stage) => {
    await stage.create(web);
    await stage.create(twin);
    await stage.associate(associated);
    const other = { ...FLOATING, fixedAddress: "10.11.0.22" };
    await stage.associate({ ...twin, IP: FLOATING.address, FloatingIPs: [other] });
    // The first server is told late of its loss, and again of its creation.
    await stage.disassociate(associated);
    await stage.create(associated);
    assert.deepEqual((await stage.machines()).map(({ floating }) => floating), [
      [],
      ["203.0.113.237/32 > 10.11.0.22/32"],
    ]);
  });

  test("the second of two servers with one name gets a suffix that stays", async (stage) => {
    await stage.create(web);
    await stage.create(twin);
    const name = "web-1-9c2f0e77";
    assert.deepEqual((await stage.machines()).map(({ name }) => name), ["web-1", name]);
    assert.deepEqual(stage.notes, [`the name is "${name}": NetBox has the other one`]);
    await stage.remove(web);
    await stage.create(twin);
    await stage.update(twin, { ...twin, CPU: 8 });
    assert.deepEqual((await stage.machines()).map(({ name, sizes }) => [name, sizes[0]]), [[name, 8]]);
    await stage.update(twin, { ...twin, FQDN: "db-1" });
    await stage.update({ ...twin, FQDN: "db-1" }, twin);
    assert.deepEqual((await stage.machines()).map(({ name }) => name), ["web-1"]);
  });

  test("names of tenants are cut and made visible", async (stage) => {
    const names = ["x".repeat(100), "😀".repeat(100), "a\0b\r\n\u202e", "lone \ud800", "  ", "../?a=1&b=2#"];
    for (const [index, FQDN] of names.entries()) {
      const Addresses = [fixed(`10.11.1.${index}`, null)];
      await stage.create({ ...web, ID: `0000000${index}-0000-4000-8000-000000000000`, FQDN, Addresses });
    }
    assert.deepEqual((await stage.machines()).map(({ name }) => name), [
      ...[`${"x".repeat(63)}…`, `${"😀".repeat(63)}…`, "a\\u{0}b\\u{d}\\u{a}\\u{202e}", "lone \\u{d800}"],
      ...["00000004-0000-4000-8000-000000000000", "../?a=1&b=2#"],
    ]);
  });

  test("objects of others stay as they are, also of the same name and address", async (stage) => {
    const cluster = { name: "openstack" };
    const named = { name: "web-1", cluster, tenant: { name: "physics" }, serial: ID };
    const [machine] = await stage.client.make(PATHS.machines, [named]);
    const [port] = await stage.client.make(PATHS.interfaces, [{ virtual_machine: machine?.id, name: MAC }]);
    const on = { assigned_object_type: "virtualization.vminterface", assigned_object_id: port?.id };
    const addresses = [{ address: "10.11.0.21/24", ...on }, { address: "203.0.113.237/24", description: ID }];
    await stage.client.make(PATHS.addresses, addresses);
    const before = foreignIn(await stage.client.rows());
    await stage.create(web);
    await stage.associate(associated);
    const [own] = await stage.machines();
    assert.deepEqual([own?.name, own?.interfaces, own?.floating], ["web-1-4818c5b1", ["FA:16:3E:81:26:0E"], []]);
    assert.deepEqual(stage.notes.slice(1), [
      "10.11.0.21 is left out: NetBox has it for others",
      "203.0.113.237 is left out: NetBox has it for others",
    ]);
    await stage.disassociate(associated);
    await stage.remove(web);
    assert.deepEqual(foreignIn(await stage.client.rows()), before);
    assert.deepEqual(await stage.machines(), []);
  });

  test("a virtual machine with an address of others is decommissioned in place of being deleted", async (stage) => {
    await stage.create(web);
    const [port] = await stage.client.all(PATHS.interfaces);
    const on = { assigned_object_type: "virtualization.vminterface", assigned_object_id: port?.id };
    await stage.client.make(PATHS.addresses, [{ address: "192.0.2.9/24", description: "a service", ...on }]);
    const before = foreignIn(await stage.client.rows());
    await stage.remove(web);
    await stage.remove(web);
    assert.deepEqual(foreignIn(await stage.client.rows()), before);
    assert.deepEqual(await stage.machines(), [{
      ...{ ...MACHINE, status: "decommissioning", primary4: null },
      interfaces: ["FA:16:3E:81:26:0E: 192.0.2.9/24"],
    }]);
    assert.deepEqual(await stage.list(), []);
  });

  test("adopt takes over a free address, and gives it back as it was", async (stage) => {
    const rows = [{ address: "10.11.0.21/24", dns_name: "a.example.com" }, { address: "203.0.113.237/24" }];
    await stage.client.make(PATHS.addresses, rows);
    const before = foreignIn(await stage.client.rows());
    await stage.create(web);
    await stage.associate(associated);
    await stage.create(web);
    assert.deepEqual(await stage.machines(), [{
      ...{ ...MACHINE, primary4: "10.11.0.21/24" },
      interfaces: ["FA:16:3E:81:26:0E: 10.11.0.21/24"],
      floating: ["203.0.113.237/24 > 10.11.0.21/24"],
    }]);
    await stage.disassociate(associated);
    await stage.remove(web);
    const withoutTimes = (list: readonly Row[]) => list.map(({ last_updated: _, ...row }) => row);
    assert.deepEqual(withoutTimes(foreignIn(await stage.client.rows())), withoutTimes(before));
    assert.deepEqual(await stage.machines(), []);
  }, { adopt: true });

  for (
    const [onDeletion, left] of [
      ["decommission", { status: "decommissioning" }],
      ["tag", { tags: ["openstack-deleted"] }],
    ] as const
  ) {
    test(`${onDeletion}: a deleted server stays without its addresses, and may come back`, async (stage) => {
      await stage.create(associated);
      await stage.remove(web);
      await stage.remove(web);
      const gone = { ...MACHINE, ...left, primary4: null, interfaces: ["FA:16:3E:81:26:0E"] };
      assert.deepEqual([await stage.machines(), await stage.list()], [[gone], []]);
      await stage.associate(associated);
      assert.deepEqual(await stage.machines(), [gone]);
      await stage.create(web);
      assert.deepEqual(await stage.machines(), [MACHINE]);
    }, { onDeletion });
  }

  test("a missing tenant is left out with a note; a missing cluster is waited for", async (stage) => {
    await stage.create({ ...web, ProjectName: "nobody made it" });
    assert.deepEqual(await stage.machines(), [{ ...MACHINE, tenant: null }]);
    assert.match(stage.notes.join(), /^tenant is not written, since NetBox refuses it: Related object not found/);
    const moved = { ...web, Zone: "away" };
    const fails = (error: unknown) =>
      error instanceof DeliveryError && /^Cannot place a virtual machine in NetBox: cluster: /.test(error.message);
    await assert.rejects(stage.create({ ...moved, ID: ID2 }), fails);
    await assert.rejects(stage.update(web, moved), fails);
    assert.equal((await stage.machines()).length, 1);
  }, { cluster: ({ Zone }: Detail) => Zone === "away" ? "nobody made it" : "openstack" });

  test("a VRF and a prefix length are those of the functions; a missing VRF is waited for", async (stage) => {
    await stage.create(web);
    await stage.associate(associated);
    const [own] = await stage.machines();
    assert.deepEqual([own?.interfaces, own?.floating], [
      ["FA:16:3E:81:26:0E: 10.11.0.21/24 in tenants"],
      ["203.0.113.237/32 > 10.11.0.21/24"],
    ]);
    const missing = { ...twin, ProjectName: "webshop" };
    await assert.rejects(
      stage.create(missing),
      /^DeliveryError: Cannot write an address to NetBox: vrf: .* correct vrf/,
    );
  }, {
    vrf: ({ type }, { ProjectName }) => type === "floating" ? null : ProjectName === "physics" ? "tenants" : "missing",
    prefixLength: ({ type }) => type === "fixed" ? 24 : 32,
  });

  test("two attempts at the same time make one virtual machine", async (stage) => {
    // They may also disturb each other: then one is tried again.
    await Promise.allSettled([stage.create(web), stage.create(web)]);
    await stage.create(web);
    assert.deepEqual(await stage.machines(), [MACHINE]);
  });

  for (const fate of ["lose", "lose the answer"] as const) {
    test(`an attempt may end at each request: ${fate}`, async (stage) => {
      const events: (() => Promise<void>)[] = [
        () => stage.create(associated),
        () =>
          stage.update(associated, {
            ...associated,
            Addresses: [fixed("10.11.0.21", MAC), fixed("2001:db8::7", MAC2)],
          }),
        () => stage.disassociate(associated),
        () => stage.remove(associated),
      ];
      const held: unknown[] = [];
      for (const event of events) {
        // Each attempt comes one request further than the one before.
        for (let passing = 0, isDone = false; !isDone; passing++) {
          let count = 0;
          stage.fate = () => count++ < passing ? "pass" : fate;
          isDone = await event().then(() => true, (error) => {
            if (error instanceof PermanentError) throw error;
            return false;
          });
        }
        stage.fate = () => "pass";
        held.push(...await stage.machines());
      }
      const floating = ["203.0.113.237/32 > 10.11.0.21/32"];
      const interfaces = ["FA:16:3E:11:22:33: 2001:db8::7/128", "FA:16:3E:81:26:0E: 10.11.0.21/32"];
      const updated = { ...MACHINE, interfaces, primary6: "2001:db8::7/128" };
      assert.deepEqual(held, [{ ...MACHINE, floating }, { ...updated, floating }, updated]);
      assert.deepEqual(await stage.client.all(PATHS.addresses), []);
    });
  }

  test("audit finds what was changed by hand, and a repair puts it right", async (stage) => {
    await stage.create(associated);
    const delivered = [{ key: "server", subject: "server", created: true, detail: associated }] as const;
    assert.deepEqual(await stage.list(), await stage.plugin.expected(delivered));
    const [address] = await stage.client.all(PATHS.addresses, "&address=10.11.0.21");
    await stage.client.remove(PATHS.addresses, [address as Row]);
    assert.notDeepEqual(await stage.list(), await stage.plugin.expected(delivered));
    await stage.create(associated, { repair: true });
    assert.deepEqual(await stage.list(), await stage.plugin.expected(delivered));
    assert.deepEqual(await stage.machines(), [{ ...MACHINE, floating: ["203.0.113.237/32 > 10.11.0.21/32"] }]);
  });

  test("a server without MAC and with an address that is none is written as far as it can be", async (stage) => {
    const Addresses = [fixed("10.11.0.21", null), fixed("10.11.0.999", MAC), fixed("2001:DB8:0::7", "x")];
    await stage.create({ ...web, Addresses });
    assert.deepEqual(await stage.machines(), [{
      ...{ ...MACHINE, primary6: "2001:db8::7/128" },
      interfaces: ["no MAC: 10.11.0.21/32", "no MAC: 2001:db8::7/128"],
    }]);
    assert.deepEqual(stage.notes, [`an address is left out that is none: "10.11.0.999"`]);
  });

  test("an interface gets its MAC address where NetBox does not take it with the interface, before 4.7", async (stage) => {
    // To a NetBox before 4.7 the field is one that it reads only.
    stage.alter = (request) =>
      request.method === "POST" && request.path === "/api/virtualization/interfaces/"
        ? { ...request, body: request.body.replaceAll(/"mac_address":"[^"]*",/g, "") }
        : request;
    const two = { ...web, Addresses: [fixed("10.11.0.21", MAC), fixed("10.11.0.22", MAC2)] };
    let passed = 0;
    // The first attempt ends when the interfaces are there, without MAC addresses.
    stage.fate = () => ++passed > 4 ? "lose" : "pass";
    await assert.rejects(stage.create(two), DeliveryError);
    stage.fate = () => "pass";
    await stage.create(two);
    await stage.create(two);
    const interfaces = ["FA:16:3E:11:22:33: 10.11.0.22/32", "FA:16:3E:81:26:0E: 10.11.0.21/32"];
    assert.deepEqual(await stage.machines(), [{ ...MACHINE, interfaces }]);
  });

  test("check() says how to make the custom field", async (stage) => {
    const { signal } = new AbortController();
    await assert.rejects(async () => await stage.plugin.check(signal), (error: Error) => {
      assert.match(
        error.message,
        /^Cannot use NetBox: the custom field "of_nobody" is missing. In NetBox: Customization/,
      );
      assert.match(error.message, /name of_nobody, type Text, .* Or set createCustomFields: true$/);
      return true;
    });
    await assert.rejects(stage.create(web), /the custom field "of_nobody" is missing/);
  }, { customField: "of_nobody", createCustomFields: false });

  test("createCustomFields makes the custom field and the tag that are missing", async (stage) => {
    const names = async (path: string) => (await stage.client.all(path)).map((row) => row["slug"] ?? row["name"]);
    await stage.plugin.check(new AbortController().signal);
    assert.ok(!(await names("extras/custom-fields")).includes("of_this_test"));
    await stage.create(web);
    await stage.remove(web);
    const [field] = await stage.client.all("extras/custom-fields", "&name=of_this_test");
    assert.deepEqual([field?.["type"].value, field?.["filter_logic"].value, field?.["object_types"].toSorted()], [
      ...["text", "exact"],
      ["ipam.ipaddress", "virtualization.virtualmachine", "virtualization.vminterface"],
    ]);
    assert.ok((await names("extras/tags")).includes("of-this-test"));
    assert.deepEqual(machinesIn(await stage.client.rows(), "of_this_test").map(({ id, tags }) => [id, tags]), [
      [ID, ["of-this-test"]],
    ]);
  }, { customField: "of_this_test", onDeletion: "tag", deletionTag: "of-this-test" });

  test("check() accepts a token of the first version", async (stage) => {
    await stage.create(web);
    await stage.plugin.check(new AbortController().signal);
  }, ({ legacy }) => ({ token: legacy }));

  test("a token without rights is told from an unknown one", async (stage) => {
    await assert.rejects(stage.create(web), (error: unknown) => {
      assert.ok(error instanceof DeliveryError);
      assert.equal(error.reason, "client_error");
      assert.match(error.message, /give the token's user this right: docs\/NETBOX.md lists them$/);
      return true;
    });
  }, ({ powerless }) => ({ token: powerless }));
}

function fixed(address: string, mac: string | null): Detail["Addresses"][number] {
  return { address, mac, type: "fixed", network: "private", version: address.includes(":") ? 6 : 4 };
}
