// Secrets of a real OpenBao from PyPI: `deno task test:vault [--skip-if-not-installable]`
import { installOpenBao } from "../../tools/openbao/install.ts";
import { OpenBao } from "../../tools/openbao/server.ts";
import { progress } from "../../tools/packages.ts";
import { testReading } from "./reading.ts";
import { testService } from "./service.ts";

const program = await install();
if (program !== null) {
  let bao: OpenBao | undefined;
  Deno.test.beforeAll(async () => void (bao = await OpenBao.start(program)));
  Deno.test.afterAll(async () => await bao?.[Symbol.asyncDispose]());
  testReading(() => bao!);
  testService(() => bao!);
}

async function install(): Promise<string | null> {
  try {
    return await installOpenBao();
  } catch (error) {
    if (!Deno.args.includes("--skip-if-not-installable")) throw error;
    progress(`\nNOT TESTED ON A REAL OPENBAO: it cannot be installed here.\n${error}\n`);
    return null;
  }
}
