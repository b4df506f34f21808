import { Designate, type DesignateOptions } from "oss-watcher/plugins";
import { DesignateServer } from "./designate_server.ts";
import { ZONES } from "./dns_server.ts";
import { counted, type DnsWay, isWrite } from "./dns_way.ts";

/** Makes the plugin for a private Designate. */
export function designateAt(server: DesignateServer, options: Partial<DesignateOptions> = {}): Designate {
  return new Designate({ openstack: server.login(server.frontPort), zones: ZONES, ...options });
}

/** Designate's API. */
export const BY_DESIGNATE: DnsWay<DesignateServer> = {
  name: "Designate",
  plugin: "Designate",
  findsZones: false,
  isSlow: true,
  start: () => DesignateServer.start(),
  make: designateAt,
  losing: (server, lost) => {
    const whole = server.handle;
    server.handle = counted(lost, async (request) => await whole(request), isWrite);
    return Promise.resolve({
      make: (options) => designateAt(server, options),
      [Symbol.asyncDispose]: () => {
        server.handle = whole;
        return Promise.resolve();
      },
    });
  },
};
