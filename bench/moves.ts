/**
 * The cost of an event when all are about one floating IP that moves to and fro, beside as many
 * floating IPs that move once. The stages of the service run in a process of their own for each.
 * `deno run -A bench/moves.ts [MOVES]`
 *
 * @module
 */
// deno-lint-ignore-file no-console -- figures on the terminal are what it is for

import process from "node:process";
import { type Body, told } from "../tests/support/heavy_messages.ts";
import { SILENT } from "../tests/support/loggers.ts";
import { WeighedService } from "../tests/support/weighed_service.ts";

const MOVES = Number(Deno.args[0] ?? 5000);
const KINDS = { "one floating IP, to and fro": toAndFro, "each floating IP once": once };
type Kind = keyof typeof KINDS;

const kind = Deno.args[1] as Kind | undefined;
if (kind === undefined) {
  for (const name of Object.keys(KINDS)) {
    const args = ["run", "-A", new URL(import.meta.url).pathname, String(MOVES), name];
    await new Deno.Command(Deno.execPath(), { args, stdout: "inherit", stderr: "inherit" }).spawn().status;
  }
} else {
  await using service = new WeighedService(SILENT);
  const { before, moves } = KINDS[kind]();
  await service.take(before);
  const delivered = service.delivered;
  const [cpu, at] = [process.cpuUsage(), performance.now()];
  await service.take(moves);
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (performance.now() - at) / 1000;
  const events = service.delivered - delivered;
  const micros = Math.round((user + system) / events);
  console.log(
    `${kind.padEnd(30)} ${events} events, ${micros} µs of processor time each, ${Math.round(events / seconds)}/s`,
  );
}

function toAndFro() {
  const before = [0, 1].flatMap((server) => arrived(server)).concat(
    associated({ floatingIp: 0, server: 0, revision: 1 }),
  );
  const moves = Array.from(
    { length: MOVES },
    (_, move) => associated({ floatingIp: 0, server: (move + 1) % 2, revision: move + 2 }),
  );
  return { before, moves };
}

function once() {
  const numbers = Array.from({ length: MOVES }, (_, number) => number);
  const before = numbers.flatMap((number) => [
    ...arrived(2 * number),
    ...arrived(2 * number + 1),
    associated({ floatingIp: number, server: 2 * number, revision: 1 }),
  ]);
  const moves = numbers.map((number) => associated({ floatingIp: number, server: 2 * number + 1, revision: 2 }));
  return { before, moves };
}

function arrived(server: number): Body[] {
  const fixed = `10.${server >> 16}.${(server >> 8) & 255}.${server & 255}`;
  return [
    told("compute.instance.create.end", (recorded) => ({
      ...recorded,
      instance_id: id("5e", server),
      hostname: `web-${server}`,
      fixed_ips: [{ address: fixed, type: "fixed", label: "net" }],
    })),
    told("port.update.end", () => ({
      port: {
        id: id("90", server),
        device_id: id("5e", server),
        device_owner: "compute:nova",
        fixed_ips: [{ ip_address: fixed }],
      },
    })),
  ];
}

function associated(
  { floatingIp, server, revision }: { readonly floatingIp: number; readonly server: number; readonly revision: number },
): Body {
  return told("floatingip.update.end.associate", () => ({
    floatingip: {
      id: id("f1", floatingIp),
      floating_ip_address: `100.${floatingIp >> 16}.${(floatingIp >> 8) & 255}.${floatingIp & 255}`,
      port_id: id("90", server),
      fixed_ip_address: "10.0.0.1",
      revision_number: revision,
    },
  }));
}

function id(kind: string, number: number): string {
  return `${kind.padEnd(8, "0")}-0000-4000-8000-${String(number).padStart(12, "0")}`;
}
