import { type Config, env } from "oss-watcher";
import { EventLog } from "oss-watcher/plugins";
import { Hello } from "./plugins/hello.ts";

export default {
  // What is announced, and as what.
  events: {
    creation: ["compute.instance.create.end", "floatingip.update.end"],
    deletion: ["compute.instance.delete.end", "floatingip.update.end"],
  },
  // Who is told. EventLog without a file writes to standard output.
  plugins: [
    new EventLog(),
    new Hello(),
  ],
  // Where OpenStack's notifications are. Not needed for --dry-run.
  rabbit: {
    url: env("RABBIT_URL", "amqp://guest:guest@localhost/"),
    queue: { name: "oss-watcher" },
  },
  // What every detail says beside what the notifications know.
  detail: {
    static: { Datacenter: "KDC" },
  },
  ledger: { file: "./ledger.db" },
} satisfies Config;
