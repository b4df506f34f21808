/**
 * Read-only access to Keystone, Nova, Neutron and Glance: a cloud of clouds.yaml, these fields, or
 * the variables `OS_*`. Fields here override values from elsewhere. Certificates are always
 * verified.
 */
export interface OpenStackOptions {
  /** The name of a cloud in clouds.yaml; instead of `authUrl`. @default the variable OS_CLOUD */
  readonly cloud?: string;
  /**
   * `https://host:5000/v3`. If the version is missing or older, v3 is looked up at the same host.
   */
  readonly authUrl?: string;
  /** The user's name, unique in its domain. */
  readonly user?: string;
  /** The user's id, instead of name and domain. */
  readonly userId?: string;
  /** The name of the user's domain. @default the domain with the id `default` */
  readonly userDomain?: string;
  /** The id of the user's domain, instead of its name. */
  readonly userDomainId?: string;
  /** The user's password. */
  readonly password?: string;
  /** The name of the project to log in for. */
  readonly project?: string;
  /** The project's id, instead of name and domain. */
  readonly projectId?: string;
  /** The name of the project's domain. @default the domain with the id `default` */
  readonly projectDomain?: string;
  /** The id of the project's domain, instead of its name. */
  readonly projectDomainId?: string;
  /** Log in for a domain, instead of a project. */
  readonly domain?: string;
  /** The id of the domain to log in for, instead of its name. */
  readonly domainId?: string;
  /** Log in for the whole system, instead of a project. @default false */
  readonly systemScope?: boolean;
  /**
   * An application credential, instead of a password. If given by name, the user is needed, too.
   */
  readonly applicationCredentialId?: string;
  /** The application credential's name, instead of its id; needs the user. */
  readonly applicationCredentialName?: string;
  /** The application credential's secret. */
  readonly applicationCredentialSecret?: string;
  /** Needed if the catalog has several regions. */
  readonly region?: string;
  /** The interface of the catalog's endpoints. @default "public" */
  readonly interface?: "public" | "internal" | "admin";
  /**
   * PEM file of the authority that signed the services' certificates.
   *
   * @default the system's authorities
   */
  readonly caFile?: string;
  /** PEM file of our own certificate, with its chain; needs `keyFile`. */
  readonly certFile?: string;
  /** PEM file of the key of `certFile`. */
  readonly keyFile?: string;
  /**
   * After OpenStack has not answered for this long, details are made without it. Messages wait for
   * the priming of a new ledger at most for this long.
   *
   * @default 3600
   */
  readonly maxWaitSeconds?: number;
  /**
   * When the ledger's memory is compared with OpenStack, and what is missing is told. `false`: only
   * by the command `oss-watcher reconcile`.
   *
   * @default each day, and after each time in which notifications may have been lost
   */
  readonly reconcile?: ReconcileOptions | false;
}

/** How memory is compared with OpenStack. */
export interface ReconcileOptions {
  /**
   * Hours between two comparisons; `false`: only after notifications may have been lost.
   *
   * @default 24
   */
  readonly everyHours?: number | false;
  /** Time between the two questions for a resource that seems to be gone. @default 60 */
  readonly confirmSeconds?: number;
  /**
   * With more deletions than this, a comparison is only reported, and an operator applies it.
   *
   * @default 10, or 5 % of what is remembered if that is more
   */
  readonly maxDeletions?: number;
}
