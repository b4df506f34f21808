import assert from "node:assert/strict";
import type { Detail } from "../../mod.ts";
import { Judge } from "./judge.ts";
import { differencesOf, tableOf } from "./report.ts";
import { began, came, ended, type Expected, went } from "./step.ts";
import { detailOfFloatingIp, detailOfServer, type Truth } from "./truth.ts";

const SERVER = { id: "server-1", name: "one", networks: ["net"] };
const IP = { id: "ip-1", address: "203.0.113.9" };
const STEP = { title: "step", act: () => Promise.resolve([]) };

/** As Nova 2.93, Neutron, Glance and Keystone answer. */
const TRUTH: Truth = {
  ref: SERVER,
  server: {
    id: "server-1",
    "OS-EXT-SRV-ATTR:hostname": "one",
    flavor: { vcpus: 1, ram: 512, disk: 1, ephemeral: 2 },
    metadata: { Owner: "alice" },
    description: null,
    created: "2026-11-21T19:13:11Z",
    image: { id: "image-1" },
    tenant_id: "project-1",
    user_id: "user-1",
    addresses: {
      net: [{
        addr: "10.0.0.5",
        version: 4,
        "OS-EXT-IPS:type": "fixed",
        "OS-EXT-IPS-MAC:mac_addr": "fa:16:3e:00:00:05",
      }],
    },
  },
  ports: [{
    id: "port-1",
    mac_address: "fa:16:3e:00:00:05",
    dns_assignment: [{ hostname: "one", ip_address: "10.0.0.5", fqdn: "one.example.org." }],
  }],
  floatingIps: [{ id: "ip-1", port_id: "port-1", floating_ip_address: "203.0.113.9", fixed_ip_address: "10.0.0.5" }],
  image: { name: "debian", os_distro: "debian", os_version: "12" },
  project: { name: "physics" },
  user: { name: "alice" },
};
const ALONE: Truth = { ...TRUTH, floatingIps: [] };

Deno.test("Judge finds nothing where a server's life is as the APIs say", () => {
  const judge = new Judge();
  hold(judge, came(SERVER), { now: ALONE });
  hold(judge, began(IP, SERVER), { now: TRUTH });
  hold(judge, ended(IP, SERVER), { earlier: TRUTH, now: ALONE, changes: { FloatingIPs: [] } });
  hold(judge, went(SERVER), { earlier: ALONE });
  assert.deepEqual(differencesOf(judge.comparisons), []);
  assert.match(tableOf(judge.comparisons), /^FQDN +✓ 1 +✓ 1 +✓ 1 +✓ 1 +✓ 1 +✓ 1$/m);
});

Deno.test("Judge finds each field that differs from what the APIs say", () => {
  for (const field of Object.keys(detailOfServer(TRUTH))) {
    const judge = new Judge();
    hold(judge, came(SERVER), { now: ALONE, changes: { [field]: "something else" } });
    const found = differencesOf(judge.comparisons);
    assert.match(
      found[0]!,
      new RegExp(`^step: ${field} of server/server-1 \\(came\\) is "something else", not `),
      field,
    );
    assert.match(tableOf(judge.comparisons), new RegExp(`^${field} +✗ 1 of 1$`, "m"));
  }
});

Deno.test("Judge finds a key of which the APIs know nothing", () => {
  const judge = new Judge();
  hold(judge, came(SERVER), { now: ALONE, changes: { Surprise: 1 } });
  assert.deepEqual(differencesOf(judge.comparisons), ["step: Surprise of server/server-1 (came) is 1, not undefined"]);
});

Deno.test("Judge finds a deletion that is not as its creation was", () => {
  const judge = new Judge();
  hold(judge, came(SERVER), { now: ALONE });
  hold(judge, went(SERVER), { earlier: ALONE, changes: { IP: null } });
  const why = 'is null, not "10.0.0.5"';
  assert.deepEqual(differencesOf(judge.comparisons), [
    `step: IP of server/server-1 (went) ${why}`,
    `step: IP of server/server-1 (went = came) ${why}`,
  ]);
});

interface Held {
  readonly earlier?: Truth;
  readonly now?: Truth;
  /** How the call differs from what the APIs say. */
  readonly changes?: Readonly<Record<string, unknown>>;
}

function hold(judge: Judge, expected: Expected, { earlier, now, changes }: Held): void {
  const truth = earlier ?? now!;
  const said = expected.floatingIp === undefined
    ? detailOfServer(truth)
    : detailOfFloatingIp(truth, expected.floatingIp, "fa:16:3e:00:00:05");
  const detail = { ...said, ...changes } as Detail;
  judge.hold({ ...expected, key: "server/server-1", detail }, {
    step: STEP,
    truth: { earlier: earlier ?? null, now: now ?? null },
  });
}
