import assert from "node:assert/strict";
import type { Detail } from "../../mod.ts";
import { differencesOf } from "./report.ts";
import { came, changed, went } from "./step.ts";
import { type Following, ToldJudge } from "./told_judge.ts";
import { detailOfServer, optionalOf, type Truth } from "./truth.ts";

const SERVER = { id: "server-1", name: "one", networks: ["net"] };
const FOLLOWING: Following = {
  keys: new Set(["FQDN"]),
  optional: new Set(["Name"]),
  hasAssociations: true,
  unheard: new Set(),
  hearsNetworks: true,
};
const truthOf = (name: string, hostname: string): Truth => ({
  ref: SERVER,
  server: {
    ...{ id: "server-1", name, "OS-EXT-SRV-ATTR:hostname": hostname, metadata: {}, description: null, addresses: {} },
    ...{ created: "2026-11-21T19:13:11Z", image: { id: "image-1" }, tenant_id: "project-1", user_id: "user-1" },
    flavor: { vcpus: 1, ram: 512, disk: 1, ephemeral: 2, original_name: "m1.tiny" },
  },
  ports: [],
  floatingIps: [],
  image: { name: "debian" },
  project: { name: "physics" },
  user: { name: "alice" },
});
const ONE = truthOf("one", "one");
const TWO = truthOf("one", "two");
const detailOf = (truth: Truth) => ({ ...detailOfServer(truth), Name: optionalOf(truth)["Name"] }) as unknown as Detail;

/** What differs in a life of which the last call is given. */
function differences(last: Parameters<ToldJudge["hold"]>[0], now: Truth | null): readonly string[] {
  const judge = new ToldJudge(FOLLOWING);
  const context = { title: "step", truths: { earlier: null, now: ONE } };
  judge.hold({ ...came(SERVER), key: "server/server-1/creation", detail: detailOf(ONE) }, context);
  judge.hold(last, { title: "step", truths: { earlier: ONE, now } });
  return differencesOf(judge.comparisons);
}
const update = (detail: Detail, context: { readonly before: Detail; readonly changed: readonly string[] }) => ({
  ...changed(SERVER, "FQDN"),
  key: "server/server-1/update/1",
  detail,
  update: context,
});

Deno.test("ToldJudge finds nothing where an update is as the APIs say", () => {
  assert.deepEqual(differences(update(detailOf(TWO), { before: detailOf(ONE), changed: ["FQDN"] }), TWO), []);
});

Deno.test("ToldJudge finds a wrong value, a wrong former detail and a wrong list of keys", () => {
  const wrong = update(detailOf(ONE), { before: detailOf(TWO), changed: ["Name"] });
  assert.deepEqual(differences(wrong, TWO).map((one) => one.split(" of ")[0]), [
    "step: before",
    "step: changed",
    "step: FQDN",
  ]);
});

Deno.test("ToldJudge holds a deletion against what was last told, whatever the APIs said since", () => {
  const end = { ...went(SERVER), key: "server/server-1/deletion" };
  assert.deepEqual(differences({ ...end, detail: detailOf(ONE) }, null), []);
  assert.match(differences({ ...end, detail: detailOf(TWO) }, null)[0]!, /FQDN/);
});
