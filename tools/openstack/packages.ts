// Debian's packages of a whole OpenStack control plane. Installing them starts no service.
import type { Requirement } from "../packages.ts";
import { RABBITMQ } from "../rabbitmq.ts";

export const OPENSTACK: readonly Requirement[] = [
  RABBITMQ,
  { program: "mariadbd", package: "mariadb-server-core", places: ["/usr/sbin/mariadbd"] },
  { program: "eatmydata", package: "eatmydata" },
  { program: "mariadb", package: "mariadb-client-core" },
  { program: "keystone-manage", package: "python3-keystone" },
  { program: "glance-api", package: "glance-api" },
  { program: "placement-manage", package: "python3-placement" },
  { program: "nova-manage", package: "nova-common" },
  { program: "nova-api", package: "nova-api" },
  { program: "nova-conductor", package: "nova-conductor" },
  { program: "nova-scheduler", package: "nova-scheduler" },
  { program: "neutron-server", package: "neutron-common" },
  { program: "uwsgi_python3", package: "uwsgi-plugin-python3" },
  { program: "pymysql", package: "python3-pymysql", file: "/usr/lib/python3/dist-packages/pymysql/__init__.py" },
];

/**
 * Later releases have the same packages. Some of their programs are served by uWSGI (services.ts).
 */
export const OPENSTACK_IN_A_CHROOT: readonly string[] = OPENSTACK.map((row) => row.package);
