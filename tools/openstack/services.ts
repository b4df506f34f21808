// How each service is started, which differs from release to release: earlier releases bring
// servers of their own, later ones WSGI applications for uWSGI. The installed files decide, not the
// release's name.
import { fileURLToPath } from "node:url";
import type { Command, Programs } from "./programs.ts";
import { ADDRESS, type Site } from "./settings.ts";

/** One process, or several that make up one service. */
export interface Service {
  readonly name: string;
  readonly command: Command;
  readonly env?: Readonly<Record<string, string>>;
}

export function keystone(
  { dir, ports }: { readonly dir: string; readonly ports: Pick<Site["ports"], "keystone"> },
  programs: Programs,
): Service {
  const app = firstOf(programs, ["keystone.wsgi.api", "/usr/bin/keystone-wsgi-public"]);
  const env = { OS_KEYSTONE_CONFIG_FILES: `${dir}/etc/keystone.conf` };
  return { name: "keystone", command: uwsgi(ports.keystone, app), env };
}

export function placement({ dir, ports }: Site, programs: Programs): Service {
  const app = firstOf(programs, ["placement.wsgi.api", "/usr/bin/placement-api"]);
  return {
    name: "placement",
    command: uwsgi(ports.placement, app),
    env: { OS_PLACEMENT_CONFIG_DIR: `${dir}/etc/placement` },
  };
}

export function glance({ dir, ports }: Site, programs: Programs): Service {
  const app = firstOf(programs, ["glance.wsgi.api", "/usr/bin/glance-api"]);
  if (app.startsWith("/")) {
    return { name: "glance", command: ["glance-api", "--config-file", `${dir}/etc/glance-api.conf`] };
  }
  // It looks for glance-api.conf.
  return { name: "glance", command: uwsgi(ports.glance, app), env: { OS_GLANCE_CONFIG_DIR: `${dir}/etc` } };
}

/** All but the compute hosts. */
export function nova(site: Site, programs: Programs): readonly Service[] {
  const config = ["--config-file", `${site.dir}/etc/nova.conf`] as const;
  return [
    { name: "nova-conductor", command: ["nova-conductor", ...config] },
    novaApi(site, programs),
    { name: "nova-scheduler", command: ["nova-scheduler", ...config] },
  ];
}

/** Nova's API: by default that of the cloud. */
export function novaApi(
  { dir, ports }: Site,
  programs: Programs,
  { name = "nova-api", file = "nova.conf", port = ports.nova }: {
    readonly name?: string;
    /** The configuration file's name. */
    readonly file?: string;
    readonly port?: number;
  } = {},
): Service {
  const app = firstOf(programs, ["nova.wsgi.osapi_compute", "/usr/bin/nova-api"]);
  if (app.startsWith("/")) return { name, command: ["nova-api", "--config-file", `${dir}/etc/${file}`] };
  // The first one is read for the pipeline.
  const files = `/usr/share/nova-common/api-paste.ini;${file}`;
  const env = { OS_NOVA_CONFIG_DIR: `${dir}/etc`, OS_NOVA_CONFIG_FILES: files };
  return { name, command: uwsgi(port, app, ["--threads", "1"]), env };
}

export function compute({ dir }: Site, host: string): Service {
  const configs = ["nova", host].flatMap((name) => ["--config-file", `${dir}/etc/${name}.conf`]);
  const env = { COMPUTE_HOST: host, COMPUTE_ID: computeIdFile(dir, host) };
  return { name: host, command: ["/usr/bin/python3", "-c", textOf("nova_compute.py"), ...configs], env };
}

/** The file in a host's state directory with the id of its node. */
export function computeIdFile(dir: string, host: string): string {
  return `${dir}/var/${host}/compute_id`;
}

/** The server comes first: when it answers, Neutron is ready. */
export function neutron({ dir, ports }: Site, programs: Programs): readonly Service[] {
  const config = ["--config-file", `${dir}/etc/neutron.conf`] as const;
  const app = firstOf(programs, ["neutron.wsgi.api", "/usr/bin/neutron-server"]);
  if (app.startsWith("/")) return [{ name: "neutron", command: ["neutron-server", ...config] }];
  const env = { OS_NEUTRON_CONFIG_DIR: `${dir}/etc`, OS_NEUTRON_CONFIG_FILES: "neutron.conf" };
  return [
    { name: "neutron", command: uwsgi(ports.neutron, app, ["--threads", "1", "--set", "start-time=%t"]), env },
    { name: "neutron-rpc", command: ["neutron-rpc-server", ...config] },
  ];
}

/** The agent of the switches. */
export function l2Agent({ dir, computes }: Site): Service {
  return {
    name: "l2-agent",
    command: ["/usr/bin/python3", "-c", textOf("l2_agent.py"), "--config-file", `${dir}/etc/neutron.conf`],
    env: { HOSTS: computes.map(({ host }) => host).join(" ") },
  };
}

/**
 * A program beside this file. It is passed as text, since a chroot does not see this repository.
 */
function textOf(name: string): string {
  return Deno.readTextFileSync(fileURLToPath(new URL(name, import.meta.url)));
}

/**
 * The first Python module or program that exists; the last one if none does, whose failure then
 * names it.
 */
function firstOf({ has }: Programs, apps: readonly [string, ...string[]]): string {
  const pathOf = (app: string) => app.startsWith("/") ? app : `${MODULES}/${app.replaceAll(".", "/")}.py`;
  return apps.find((app) => has(pathOf(app))) ?? apps.at(-1)!;
}

const MODULES = "/usr/lib/python3/dist-packages";

function uwsgi(port: number, app: string, more: readonly string[] = ["--threads", "4"]): Command {
  return [
    ...["uwsgi_python3", "--master", "--lazy-apps", "--need-app", "--die-on-term", "--enable-threads"] as const,
    ...["--processes", "2", "--buffer-size", "65535", "--disable-logging"],
    ...["--add-header", "Connection:close"],
    ...more,
    ...["--http-socket", `${ADDRESS}:${port}`],
    ...app.startsWith("/") ? ["--wsgi-file", app] : ["--module", `${app}:application`],
  ];
}
