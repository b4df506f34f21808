// The plugin Designate on a real Designate, in full: `deno task test:openstack designate`. What is quick is in
// tests/plugins/designate_test.ts, too.
import { installMissing } from "../../tools/packages.ts";
import { DESIGNATE } from "../../tools/openstack/designate.ts";
import { DesignateServer } from "../support/designate_server.ts";
import { BY_DESIGNATE } from "../support/designate_way.ts";
import { testDnsLives } from "../support/dns_lives.ts";
import { testContract } from "./contract.ts";

await installMissing(DESIGNATE);
const server = await DesignateServer.start();
testContract(() => server);
testDnsLives({ ...BY_DESIGNATE, start: () => Promise.resolve(server) });
