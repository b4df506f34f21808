/**
 * A host as it stands before a port, and in a URL: an IPv6 address has brackets there.
 *
 * @param host A name or an address; an IPv6 address with or without brackets.
 */
export function bracketedHost(host: string): string {
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}

/** A host as sockets and certificates have it: without brackets. */
export function bareHost(host: string): string {
  return host.replace(/^\[(.*)\]$/, "$1");
}
