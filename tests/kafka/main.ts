// The plugin Kafka on a real broker from Maven Central: `deno task test:kafka [--skip-if-not-installable]`
import { installKafka, type KafkaPrograms } from "../../tools/kafka/install.ts";
import { progress } from "../../tools/packages.ts";
import { TestPki } from "../wire/pki.ts";
import { testContract } from "./contract.ts";
import { type GatedKafka, startGatedKafka } from "./harness.ts";
import { testScenarios } from "./scenarios.ts";

const programs = await install();
if (programs !== null) {
  let kafka: GatedKafka | undefined;
  let pki: TestPki;
  Deno.test.beforeAll(async () => {
    pki = await TestPki.make();
    kafka = await startGatedKafka(programs, pki);
  });
  Deno.test.afterAll(async () => {
    // Where it could not be started, that is what the test says.
    await kafka?.[Symbol.asyncDispose]();
    await pki[Symbol.asyncDispose]();
  });
  testContract(() => kafka!);
  testScenarios(() => ({ kafka: kafka!, pki }));
}

async function install(): Promise<KafkaPrograms | null> {
  try {
    return await installKafka();
  } catch (error) {
    if (!Deno.args.includes("--skip-if-not-installable")) throw error;
    progress(`\nNOT TESTED ON A REAL KAFKA: it cannot be installed here.\n${error}\n`);
    return null;
  }
}
