import { type Config, env } from "oss-watcher";
import { EventLog } from "oss-watcher/plugins";
import { Hello } from "./plugins/hello.ts";

export default {
  // Event types that are announced as creation, and as deletion.
  events: {
    creation: ["compute.instance.create.end", "floatingip.update.end"],
    deletion: ["compute.instance.delete.end", "floatingip.update.end"],
  },
  // Called for each event. EventLog without a file writes to standard output.
  plugins: [
    new EventLog(),
    new Hello(),
  ],
  // The RabbitMQ of OpenStack's notifications. Not needed for --dry-run.
  rabbit: {
    url: env("RABBIT_URL", "amqp://guest:guest@localhost/"),
    queue: { name: "oss-watcher" },
  },
  // Values that every detail has in addition to those of the notifications.
  detail: {
    static: { Datacenter: "KDC" },
  },
  ledger: { file: "./ledger.db" },
} satisfies Config;
