import { type Config, env } from "oss-watcher";
import { EventLog } from "oss-watcher/plugins";

export const events: Config["events"] = {
  creation: ["compute.instance.create.end", "floatingip.update.end"],
  deletion: ["compute.instance.delete.end", "floatingip.update.end"],
};

export const plugins: Config["plugins"] = [
  new EventLog(),
];

export default {
  events,
  plugins,
  rabbit: {
    host: "localhost",
    port: 5672,
    user: "guest",
    password: env("RABBIT_PASSWORD", "guest"),
    queue: { name: "oss-watcher" },
  },
} satisfies Config;
