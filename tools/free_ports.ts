/**
 * Free ports of the loopback address, below the range from which the system takes ports for
 * outgoing connections: a client that keeps trying a port in that range can connect to itself, and
 * then no server can listen there.
 */
export function freePorts(count: number): readonly number[] {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      ports.add(port);
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
  return [...ports];
}
