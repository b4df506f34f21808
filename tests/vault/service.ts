import assert from "node:assert/strict";
import type { OpenBao } from "../../tools/openbao/server.ts";
import { Service } from "../../tools/service.ts";
import { ProgramDirectory } from "../support/program.ts";
import { until } from "../support/until.ts";
import { appRole } from "./reading.ts";

const LONG_MS = 60_000;
/** Of the token: the service asks each second. */
const LIFE_SECONDS = 3;

/** Its RabbitMQ is not there, which it waits for. Its plugin writes down each value that it starts with. */
const CONFIG = `import { vault } from "oss-watcher";
const token = await vault("secret/rotated#token");
Deno.writeTextFileSync("values", token + "\\n", { append: true });
export default {
  events: { creation: ["compute.instance.create.end"], deletion: [] },
  plugins: [{ name: "Mine", notify() {} }],
  rabbit: { url: "amqp://127.0.0.1:1", queue: { name: "oss-watcher" } },
  ledger: { file: "./ledger.db" },
  metrics: false,
  console: false,
};`;

/** `vault()` while the service runs. */
export function testService(bao: () => OpenBao): void {
  Deno.test("service outlives its token for Vault, takes a new secret, and gives the token back", async () => {
    await bao().put("rotated", { token: "hush-first" });
    const { env, tokens } = await appRole(bao(), { ttl: `${LIFE_SECONDS}s` });
    const before = await tokens();
    using dir = new ProgramDirectory({ "config.ts": CONFIG });
    const values = () => Deno.readTextFileSync(dir.path("values")).trim().split("\n");
    await using service = new Service(dir.path(), [], env);
    await until(() => service.log.includes("Cannot connect"), LONG_MS);

    await new Promise((resolve) => setTimeout(resolve, 3 * LIFE_SECONDS * 1000));
    assert.ok(!service.log.includes("WARN (service) Cannot look for new secrets"), service.log);
    for (const value of ["hush-second", "hush-third"]) {
      await bao().put("rotated", { token: value });
      await until(() => values().at(-1) === value, LONG_MS);
    }
    await until(() => service.log.match(/the old one stops/g)?.length === 2, LONG_MS);
    assert.match(service.log, /There is another value in the secret "secret\/rotated#token" of Vault\n/);
    assert.ok(!service.log.includes("hush"), service.log);
    assert.equal((await service.end("SIGTERM")).code, 0);
    assert.ok(await tokens() <= before);
  });

  Deno.test("service goes on with the secrets that it has while Vault refuses, and says so once", async () => {
    await bao().put("rotated", { token: "hush-first" });
    const { env } = await appRole(bao(), { ttl: `${LIFE_SECONDS}s` });
    using dir = new ProgramDirectory({ "config.ts": CONFIG });
    await using service = new Service(dir.path(), [], env);
    await until(() => service.log.includes("Cannot connect"), LONG_MS);
    const mayRead = (policy: string) => bao().ask("PUT", "sys/policies/acl/watcher", { policy });

    await mayRead(`path "other" { capabilities = ["read"] }`);
    await until(() => service.log.includes("Cannot look for new secrets in Vault"), LONG_MS);
    await new Promise((resolve) => setTimeout(resolve, 4000));
    assert.equal(service.log.match(/Cannot look for new secrets in Vault/g)?.length, 1, service.log);
    await mayRead(`path "secret/data/*" { capabilities = ["read"] }`);
    await until(() => service.log.includes("Vault answers again"), LONG_MS);
    assert.equal((await service.end("SIGTERM")).code, 0);
    assert.ok(!service.log.includes("hush"), service.log);
  });
}
