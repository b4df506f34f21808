import assert from "node:assert/strict";
import { Addresses } from "../../plugins/netbox_addresses.ts";
import { NetBoxApi, RefusedError } from "../../plugins/netbox_api.ts";
import { Mark } from "../../plugins/netbox_mark.ts";
import { NetBoxServers } from "../../plugins/netbox_servers.ts";
import { HttpProxy, type ProxiedAnswer, type ProxiedRequest } from "../support/http_proxy.ts";

// Answers that NetBox 4.7 does not give: those of earlier releases, and of a small page size.
const TOKEN = "nbt_AAAAAAAAAAAA.a-secret-of-the-test";
const { signal } = new AbortController();

async function asked(
  answer: (request: ProxiedRequest) => ProxiedAnswer,
  run: (api: NetBoxApi) => Promise<void>,
): Promise<void> {
  await using proxy = await HttpProxy.open(answer);
  await using api = new NetBoxApi({ url: `http://127.0.0.1:${proxy.port}/netbox/`, token: TOKEN }, {});
  await run(api);
}

Deno.test("all() reads on behind the last id until there is no next page, and never follows a link", async () => {
  const paths: string[] = [];
  const rows = [[{ id: 3 }, { id: 7 }], [{ id: 9 }], []];
  await asked(({ path }) => {
    const results = rows[paths.length] ?? [];
    paths.push(path);
    const next = paths.length < 3 ? "http://elsewhere.example.com/?offset=2" : null;
    return { status: 200, body: JSON.stringify({ count: 3, next, previous: null, results }) };
  }, async (api) => {
    assert.deepEqual(await api.all("ipam/ip-addresses", { cf_x: ["a b&c", "d"] }, signal), [{ id: 3 }, { id: 7 }, {
      id: 9,
    }]);
  });
  const first = "/netbox/api/ipam/ip-addresses/?cf_x=a+b%26c&cf_x=d&ordering=id&limit=1000";
  assert.deepEqual(paths, [first, `${first}&id__gt=7`, `${first}&id__gt=9`]);
});

for (
  const [what, body] of [
    ["4.7 and later", { detail: "1 of 2", errors: [{ index: 1, errors: { name: ["is taken"], tenant: ["a", "b"] } }] }],
    ["before 4.7", [{}, { name: ["is taken"], tenant: ["a", "b"] }]],
  ] as const
) {
  Deno.test(`create() tells which object is refused, and why, as NetBox ${what} says it`, async () => {
    await asked(() => ({ status: 400, body: JSON.stringify(body) }), async (api) => {
      await assert.rejects(api.create("x", [{}, {}], signal), (error: unknown) => {
        assert.ok(error instanceof RefusedError);
        assert.deepEqual([...error.refusals], [[1, { name: "is taken", tenant: "a b" }]]);
        return true;
      });
    });
  });
}

Deno.test("change() tells which object is refused by its id", async () => {
  const body = { errors: [{ id: 8, errors: { __all__: ["no"] } }] };
  await asked(() => ({ status: 400, body: JSON.stringify(body) }), async (api) => {
    await assert.rejects(
      api.change("x", [{ id: 7 }, { id: 8 }], signal),
      (error: unknown) => error instanceof RefusedError && error.refusals.get(1)?.["__all__"] === "no",
    );
  });
});

Deno.test("create() tells no secret when NetBox refuses what it quotes", async () => {
  const body = JSON.stringify({ name: [`${TOKEN} \u202e`] });
  await asked(() => ({ status: 400, body }), async (api) => {
    await assert.rejects(api.create("x", [{}], signal), (error: unknown) => {
      assert.ok(error instanceof RefusedError);
      assert.equal(error.message, 'Cannot write to NetBox at x: it refuses: {"name":["*** \\u{202e}"]}');
      // Notes of deliveries quote it.
      assert.equal(error.refusals.get(0)?.["name"], "*** \u202e");
      return true;
    });
  });
});

Deno.test("all() rejects what is no answer of NetBox's API", async () => {
  for (const body of ["<html>", "[]", '{"results":[{}]}', '"x"', ""]) {
    await asked(() => ({ status: 200, body }), async (api) => {
      await assert.rejects(
        api.all("x", {}, signal),
        /^DeliveryError: Cannot read x\/? of NetBox: the answer is not that of its API. Check url$/,
      );
    });
  }
});

Deno.test("claim() ends when NetBox refuses what was not asked for", async () => {
  let requests = 0;
  const body = JSON.stringify({ errors: [{ index: 9, errors: { address: ["no"] } }] });
  await asked(() => ({ status: ++requests > 5 ? 500 : 400, body }), async (api) => {
    const addresses = new Addresses(api, { mark: new Mark("openstack_id"), adopts: false });
    const address = {
      ...{ address: "10.0.0.1", version: 4, type: "fixed", network: null, withLength: "10.0.0.1/32" } as const,
      ...{ vrf: null, mac: null, inside: null },
    };
    const claiming = { id: "x", held: [], signal, tell: () => {} };
    await assert.rejects(addresses.claim([{ address, values: {} }], claiming), RefusedError);
  });
  assert.equal(requests, 1);
});

// As people delete objects between the plugin's reading and writing: the next attempt reads anew.
for (
  const [what, errors] of [
    ["the object itself", { id: ["Object with ID 8 does not exist"] }],
    ["an object that it leads to", { nat_inside: ["Related object not found using the provided numeric ID: 8"] }],
  ] as const
) {
  Deno.test(`change() is to be tried again when ${what} was deleted meanwhile`, async () => {
    const body = JSON.stringify({ detail: "1 of 1", errors: [{ id: 8, errors }] });
    await asked(() => ({ status: 400, body }), async (api) => {
      await assert.rejects(api.change("x", [{ id: 8 }], signal), {
        name: "DeliveryError",
        message: /^Cannot write to NetBox at x: it refuses: .*; an object was deleted meanwhile, or the token/,
      });
    });
  });
}

Deno.test("remove() removes all virtual machines of a server", async () => {
  // Without a cluster, NetBox takes a name twice: an attempt whose answer was lost may have made one, too.
  const there = new Set([3, 7]);
  await asked(({ method, path, body }) => {
    const isMachines = path.includes("/virtual-machines/");
    if (method === "DELETE") { for (const { id } of JSON.parse(body)) there.delete(id); }
    const rows = isMachines ? [...there].map((id) => ({ id, custom_fields: { openstack_id: "x" } })) : [];
    const list = { count: rows.length, next: null, previous: null, results: rows };
    return method === "DELETE" ? { status: 204, body: "" } : { status: 200, body: JSON.stringify(list) };
  }, async (api) => {
    const options = { adopts: false, onDeletion: "delete", deletionTag: "gone" } as const;
    const servers = new NetBoxServers(api, { ...options, mark: new Mark("openstack_id") });
    await servers.remove("x", { signal, tell: () => {} });
  });
  assert.deepEqual([...there], []);
});
