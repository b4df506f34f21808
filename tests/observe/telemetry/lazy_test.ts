import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../../main.ts", import.meta.url));
const OWN = "/src/observe/telemetry/";

Deno.test("without a collector no module of telemetry is loaded", async () => {
  const args = ["info", "--json", MAIN];
  const { stdout } = await new Deno.Command(Deno.execPath(), { args }).output();
  const { modules }: Graph = JSON.parse(new TextDecoder().decode(stdout));
  const loading = modules.filter(({ specifier }) => !specifier.includes(OWN)).flatMap((
    { specifier, dependencies = [] },
  ) =>
    dependencies.filter(({ code }) => code?.specifier.includes(OWN)).map(({ isDynamic = false }) => ({
      by: specifier.replace(/^.*\/src\//, "src/"),
      isDynamic,
    }))
  );
  assert.deepEqual(loading, [{ by: "src/cli/service_instance.ts", isDynamic: true }]);
});

interface Graph {
  readonly modules: readonly {
    readonly specifier: string;
    readonly dependencies?: readonly {
      readonly isDynamic?: boolean;
      /** Absent: types alone are imported. */
      readonly code?: { readonly specifier: string };
    }[];
  }[];
}
