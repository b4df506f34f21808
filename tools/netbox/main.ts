// A private NetBox to play with, until Ctrl-C. `deno task netbox`
import { progress } from "../packages.ts";
import { installNetBox } from "./install.ts";
import { startNetBox } from "./server.ts";

await using netbox = await startNetBox(await installNetBox());
const lines = [
  `export NETBOX_URL=${netbox.url}`,
  ...Object.entries(netbox.tokens).map(([name, token]) => `# ${name}: ${token}`),
];
Deno.stdout.writeSync(new TextEncoder().encode(`${lines.join("\n")}\n`));
progress("Ctrl-C ends it and removes everything");
const stop = Promise.withResolvers<void>();
for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, stop.resolve);
await stop.promise;
