// The services' configuration: that of a small real cloud, on the loopback address, with a fake
// hypervisor.
import { ADDRESS, DNS_DOMAIN, type Driver, type Notifying, REGION, type Site } from "./settings.ts";

export type Section = Readonly<Record<string, string | number | boolean | readonly string[]>>;
export type Sections = Readonly<Record<string, Section>>;

/** Files by their paths below the cloud's folder. */
export function configFiles(site: Site, notifying: Notifying): Readonly<Record<string, string>> {
  const computes = site.computes.map(({ host, driver }) => [
    `etc/${host}.conf`,
    { DEFAULT: { host, state_path: `${site.dir}/var/${host}`, compute_driver: `fake.${driver}` } },
  ]);
  const files: Readonly<Record<string, Sections>> = {
    "etc/keystone.conf": keystone(site),
    "etc/placement/placement.conf": placement(site),
    "etc/glance-api.conf": glance(site),
    "etc/nova.conf": nova(site, notifying),
    "etc/neutron.conf": neutron(site, notifying),
    ...Object.fromEntries(computes),
  };
  return Object.fromEntries(Object.entries(files).map(([path, sections]) => [path, ini(sections)]));
}

export function databaseUrl(
  { secret, ports }: { readonly secret: string; readonly ports: Pick<Site["ports"], "mysql"> },
  name: string,
): string {
  return `mysql+pymysql://osw:${secret}@${ADDRESS}:${ports.mysql}/${name}?charset=utf8`;
}

function keystone(site: Site): Sections {
  return {
    DEFAULT: { log_dir: "" },
    database: { connection: databaseUrl(site, "keystone") },
    token: { provider: "fernet" },
    fernet_tokens: { key_repository: `${site.dir}/var/fernet` },
    credential: { key_repository: `${site.dir}/var/credential` },
  };
}

function placement(site: Site): Sections {
  return {
    api: { auth_strategy: "keystone" },
    placement_database: { connection: databaseUrl(site, "placement") },
    keystone_authtoken: account(site, "placement"),
  };
}

function glance(site: Site): Sections {
  const { dir, ports } = site;
  return {
    DEFAULT: {
      bind_host: ADDRESS,
      bind_port: ports.glance,
      workers: 0,
      enabled_backends: "files:file",
      public_endpoint: `http://${ADDRESS}:${ports.glance}`,
      node_staging_uri: `file://${dir}/var/staging`,
    },
    database: { connection: databaseUrl(site, "glance") },
    paste_deploy: { config_file: "/usr/share/glance-common/glance-api-paste.ini", flavor: "keystone" },
    glance_store: { default_backend: "files" },
    files: { filesystem_store_datadir: `${dir}/var/images` },
    os_glance_staging_store: { filesystem_store_datadir: `${dir}/var/staging` },
    os_glance_tasks_store: { filesystem_store_datadir: `${dir}/var/tasks` },
    oslo_concurrency: { lock_path: `${dir}/var/lock` },
    keystone_authtoken: account(site, "glance"),
  };
}

function nova(
  site: Site,
  { novaFormat, novaDrivers, topics, versionedTopics, reclaimSeconds = 0 }: Notifying,
): Sections {
  const { dir, ports, transport } = site;
  return {
    DEFAULT: {
      my_ip: ADDRESS,
      state_path: `${dir}/var/nova`,
      transport_url: transport,
      enabled_apis: "osapi_compute",
      osapi_compute_listen: ADDRESS,
      osapi_compute_listen_port: ports.nova,
      osapi_compute_workers: 1,
      default_schedule_zone: site.computes[0]!.zone,
      allow_resize_to_same_host: true,
      vif_plugging_is_fatal: false,
      vif_plugging_timeout: 0,
      instance_usage_audit: true,
      reclaim_instance_interval: reclaimSeconds,
      shelved_offload_time: 0,
    },
    api: { auth_strategy: "keystone" },
    wsgi: { api_paste_config: "/usr/share/nova-common/api-paste.ini" },
    api_database: { connection: databaseUrl(site, "nova_api") },
    database: { connection: databaseUrl(site, "nova") },
    conductor: { workers: 1 },
    scheduler: { workers: 1 },
    filter_scheduler: { build_failure_weight_multiplier: 0 },
    quota: { instances: -1, cores: -1, ram: -1 },
    vnc: { enabled: false },
    notifications: {
      notification_format: novaFormat,
      versioned_notifications_topics: versionedTopics.join(","),
      notify_on_state_change: "vm_and_task_state",
    },
    oslo_messaging_notifications: notifications(novaDrivers, topics),
    oslo_messaging_rabbit: rabbit(site),
    glance: { api_servers: `http://${ADDRESS}:${ports.glance}` },
    oslo_concurrency: { lock_path: `${dir}/var/lock` },
    keystone_authtoken: { ...account(site, "nova"), service_token_roles_required: true },
    placement: account(site, "placement"),
    neutron: { ...account(site, "neutron"), service_metadata_proxy: true },
    service_user: { ...account(site, "nova"), send_service_user_token: true },
  };
}

function neutron(site: Site, { neutronDrivers, topics }: Notifying): Sections {
  const { dir, ports, transport } = site;
  const unlimited = ["port", "floatingip", "network", "subnet", "router", "security_group"];
  return {
    DEFAULT: {
      bind_host: ADDRESS,
      bind_port: ports.neutron,
      api_workers: 1,
      rpc_workers: 1,
      rpc_state_report_workers: 0,
      state_path: `${dir}/var/neutron`,
      transport_url: transport,
      auth_strategy: "keystone",
      core_plugin: "ml2",
      service_plugins: "router,qos",
      dns_domain: `${DNS_DOMAIN}.`,
      api_paste_config: "/usr/share/neutron-common/api-paste.ini",
      notify_nova_on_port_status_changes: true,
      notify_nova_on_port_data_changes: true,
      dhcp_agent_notification: false,
      agent_down_time: 600,
    },
    database: { connection: databaseUrl(site, "neutron") },
    oslo_concurrency: { lock_path: `${dir}/var/lock` },
    quotas: Object.fromEntries(unlimited.map((what) => [`quota_${what}`, -1])),
    ml2: {
      type_drivers: "flat,vxlan",
      tenant_network_types: "vxlan",
      mechanism_drivers: "openvswitch",
      extension_drivers: "port_security,qos,dns_domain_ports",
    },
    ml2_type_flat: { flat_networks: "physnet1" },
    ml2_type_vxlan: { vni_ranges: "1:1000" },
    securitygroup: { enable_security_group: true, firewall_driver: "noop" },
    keystone_authtoken: account(site, "neutron"),
    nova: account(site, "nova"),
    oslo_messaging_notifications: notifications(neutronDrivers, topics),
    oslo_messaging_rabbit: rabbit(site),
  };
}

function notifications(drivers: readonly Driver[], topics: readonly string[]): Section {
  return { driver: drivers, topics: topics.join(",") };
}

/** By default exchanges and queues are not durable. */
function rabbit({ hasQuorumQueues }: Site): Section {
  return hasQuorumQueues ? { rabbit_quorum_queue: true, rabbit_transient_quorum_queue: true } : {};
}

/** How a service logs in at Keystone. */
export function account(
  { ports, secret }: { readonly ports: Pick<Site["ports"], "keystone">; readonly secret: string },
  username: string,
): Section {
  return {
    auth_url: `http://${ADDRESS}:${ports.keystone}`,
    www_authenticate_uri: `http://${ADDRESS}:${ports.keystone}`,
    auth_type: "password",
    project_domain_name: "Default",
    user_domain_name: "Default",
    project_name: "service",
    username,
    password: secret,
    region_name: REGION,
  };
}

/** The text of a configuration file. A list is a setting that is written several times. */
export function ini(sections: Sections): string {
  return Object.entries(sections).map(([title, section]) => {
    const lines = Object.entries(section).flatMap(([key, value]) =>
      (typeof value === "object" ? value : [value]).map((one) => `${key} = ${one}`)
    );
    return [`[${title}]`, ...lines, ""].join("\n");
  }).join("\n");
}
