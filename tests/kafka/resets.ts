// Publishes through a gate that resets each connection, with RST, after another number of bytes of the broker. Run by
// scenarios.ts; its argument is the broker's port.
import { connect, createServer, type Socket } from "node:net";
import { DeliveryError } from "../../mod.ts";
import { Kafka } from "../../plugins/kafka.ts";
import { context, detail } from "../plugins/notification.ts";

const ATTEMPTS = 40;
const BYTES_MORE = 25;

let connections = 0;
const gate = createServer((client: Socket) => {
  let left = connections++ % ATTEMPTS * BYTES_MORE;
  const server = connect(Number(Deno.args[0]), "127.0.0.1");
  const end = () => {
    client.resetAndDestroy();
    server.destroy();
  };
  client.on("error", () => {}).on("close", end).on("data", (bytes) => server.write(bytes));
  server.on("error", () => {}).on("close", end).on("data", (bytes) => {
    client.write(bytes.subarray(0, left));
    left -= bytes.length;
    if (left <= 0) end();
  });
});
await new Promise<void>((resolve) => gate.listen(0, "127.0.0.1", resolve));
const { port } = gate.address() as { port: number };

let failed = 0;
for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
  await using kafka = new Kafka({ brokers: `127.0.0.1:${port}`, topic: "cloud-none", timeoutSeconds: 5 });
  await kafka.notify(detail, true, context()).catch((error) => {
    if (error instanceof DeliveryError) failed++;
    else throw error;
  });
}
// What comes late must find somebody who listens, too.
await new Promise((resolve) => setTimeout(resolve, 500));
gate.close();
// deno-lint-ignore no-console
console.log(`${failed} attempts failed, each to be tried again`);
Deno.exit(0);
