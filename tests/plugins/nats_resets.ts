// Publishes to a server that resets each connection, with RST, after another number of its bytes. Run by nats_test.ts.
import { createServer, type Socket } from "node:net";
import { DeliveryError } from "../../mod.ts";
import { Nats } from "../../plugins/nats.ts";
import { context, detail } from "./notification.ts";

const INFO =
  `INFO {"server_id":"x","version":"2.9.10","proto":1,"headers":true,"max_payload":1048576,"jetstream":true}\r\n`;
const ANSWERS = `${INFO}PONG\r\nPING\r\n`;
const ATTEMPTS = 60;

let connections = 0;
const server = createServer((socket: Socket) => {
  socket.on("error", () => {});
  const said = ANSWERS.slice(0, Math.floor(ANSWERS.length * connections++ / (ATTEMPTS - 1)));
  socket.write(said, () => setTimeout(() => socket.resetAndDestroy(), connections % 3));
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const { port } = server.address() as { port: number };

let failed = 0;
for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
  await using nats = new Nats({ url: `nats://127.0.0.1:${port}`, subject: "cloud.x" });
  await nats.notify(detail, true, context()).catch((error) => {
    if (error instanceof DeliveryError && error.reason === "connection") failed++;
    else throw error;
  });
}
// What comes late must find somebody who listens, too.
await new Promise((resolve) => setTimeout(resolve, 200));
server.close();
// deno-lint-ignore no-console
console.log(`${failed} attempts failed, each with reason connection`);
