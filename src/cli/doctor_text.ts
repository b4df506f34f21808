import { isBound, type Problem } from "../inspect/doctor/diagnose.ts";
import type { Examination, QueueLook } from "../inspect/doctor/examine.ts";
import type { Flow } from "../inspect/doctor/traffic.ts";
import { printable } from "../wire/escaping/printable.ts";
import { coloured, type Terminal } from "./terminal.ts";
import { wrapped } from "./wrapped.ts";

/** The broker's state and the traffic, then the problems, each with the lines that mend it. */
export function describeExamination(
  seen: Examination,
  { problems, terminal }: { readonly problems: readonly Problem[]; readonly terminal: Terminal },
): string {
  const { address, user, vhost } = seen;
  return [
    ...wrapped(printable(`RabbitMQ at ${address}, vhost "${vhost}", as "${user}"`), { indent: 2 }),
    "",
    ...[...seen.exchanges.keys()].flatMap((exchange) => describeExchange(seen, exchange)),
    ...[seen.queue, ...seen.defaultQueues].filter(({ refused }) => refused === null).map(describeQueue),
    ...describeRefused([seen.queue, ...seen.defaultQueues].filter(({ refused }) => refused !== null)),
    ...("refused" in seen.managed
      ? ["", ...wrapped(printable(`Bindings are inferred, limits are unknown: ${seen.managed.refused}`), { indent: 2 })]
      : []),
    "",
    ...verdict(seen, problems),
    ...problems.flatMap((problem, index) => describeProblem(problem, { number: index + 1, terminal })),
  ].join("\n").trimEnd();
}

/** The same facts for a program. */
export function examinationFacts(whole: Examination, problems: readonly Problem[]) {
  const { exchanges, flows, managed, ...seen } = whole;
  return {
    ...seen,
    deaf: seen.deaf?.text ?? null,
    exchanges: [...exchanges].map(([name, there]) => ({ name, there })),
    flows: flows.map((flow) => ({ ...flow, bound: isBound(whole, flow) })),
    management: "refused" in managed ? managed.refused : "read",
    problems,
  };
}

function describeExchange(seen: Examination, exchange: string): string[] {
  const { exchanges, managed, flows, seconds } = seen;
  const durable = "exchanges" in managed && exchanges.get(exchange)
    ? managed.exchanges.get(exchange) ? ", durable" : ", not durable"
    : "";
  const own = flows.filter((flow) => flow.exchange === exchange);
  const count = own.reduce((sum, flow) => sum + flow.count, 0);
  const state = exchanges.get(exchange) ? `${counted(count, "notification")} in ${seconds} s` : "is not there";
  return [
    printable(`exchange ${exchange}${durable}: ${state}`),
    ...own.flatMap((flow) => describeFlow(flow, seen)),
  ];
}

function describeFlow(flow: Flow, seen: Examination): string[] {
  const { routingKey, count, handled, unreadable, drivers, formats } = flow;
  const bound = isBound(seen, flow);
  const goes = bound === null ? "perhaps reaches" : bound ? "reaches" : "does not reach";
  const facts = [
    `${goes} ${seen.queue.name}`,
    `${handled} of use`,
    ...(unreadable > 0 ? [`${unreadable} unreadable`] : []),
    ...drivers.map((driver) => `driver ${driver}`),
    ...(formats.length > 0 ? [formats.join(" and ")] : []),
  ];
  return wrapped(printable(`  ${String(count).padStart(5)}  ${routingKey}: ${facts.join(", ")}`), { indent: 9 });
}

function describeQueue({ name, before, after }: QueueLook): string {
  const state = after ?? before;
  if (state === null) return printable(`queue ${name}: is not there`);
  const grew = state.messages - (before?.messages ?? state.messages);
  const grown = grew > 0 ? ` (${grew} more)` : "";
  return printable(
    `queue ${name}: ${counted(state.messages, "message")}${grown}, ${counted(state.consumers, "consumer")}`,
  );
}

/** RabbitMQ from 4.3 on shows a queue only to a user with a right to it. */
function describeRefused(looks: readonly QueueLook[]): readonly string[] {
  if (looks.length === 0) return [];
  const names = looks.map(({ name }) => name).join(", ");
  return wrapped(printable(`Not examined, since our user has no right to read them: ${names}`), { indent: 2 });
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function verdict({ flows, seconds, deaf }: Examination, problems: readonly Problem[]): string[] {
  const hasErrors = problems.some(({ level }) => level === "error");
  if (hasErrors) return ["Problems:"];
  if (flows.length === 0 && deaf === null) {
    return wrapped(
      `No problem was found, but nothing came in ${seconds} s. Cause a notification meanwhile, as with openstack floating ` +
        "ip set --description x ADDRESS, and listen longer: --seconds 60",
      { indent: 2 },
    );
  }
  return ["Notifications come and reach oss-watcher."];
}

function describeProblem(
  { level, text, remedies }: Problem,
  { number, terminal }: { readonly number: number; readonly terminal: Terminal },
): string[] {
  const [first = "", ...rest] = wrapped(printable(`${number}. ${level}: ${text}`), { indent: 3 });
  const colour = level === "error" ? "red" : "yellow";
  return [
    "",
    coloured(first, colour, terminal),
    ...rest,
    ...remedies.flatMap(({ where, lines }) => [
      ...wrapped(printable(`   ${where}:`), { indent: 3 }),
      ...lines.map((line) => line === "" ? "" : `     ${printable(line)}`),
    ]),
  ];
}
