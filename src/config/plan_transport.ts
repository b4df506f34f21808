import { bracketedHost } from "../model/bracketed_host.ts";
import { printable } from "../wire/escaping/printable.ts";
import { booleanOf, type IniValue, listItems } from "./ini_options.ts";
import { type PlanObject, type PlanValue, Secret } from "./plan.ts";
import type { PlanDraft } from "./plan_draft.ts";
import { readTransportUrl, type TransportHost, type TransportUrl } from "./transport_url.ts";

const NOTIFICATIONS = "oslo_messaging_notifications";
const RABBIT = "oslo_messaging_rabbit";

/** Options of RabbitMQ that are used, by oslo.messaging's names: the present and the former one. */
const SSL = ["ssl", "rabbit_use_ssl"] as const;
const FILES = {
  caFile: ["ssl_ca_file", "kombu_ssl_ca_certs"],
  certFile: ["ssl_cert_file", "kombu_ssl_certfile"],
  keyFile: ["ssl_key_file", "kombu_ssl_keyfile"],
} as const;
/** In config.ts it is not part of a URL. */
const PASSWORD = "the password in it, as it is: what stands there as %40 is @";
const READ_OPTIONS: readonly string[] = [...SSL, ...Object.values(FILES).flat()];

/**
 * RabbitMQ by a service's `transport_url`, with an own queue unless `[rabbit]` names one; other
 * options of `[rabbit]` override it.
 */
export function planTransport(draft: PlanDraft): void {
  const url = draft.find(NOTIFICATIONS, "transport_url") ?? draft.find("DEFAULT", "transport_url");
  if (url === undefined) return;
  const { watchQueue, ...ownBroker } = draft.sections.rabbit ?? {};
  if (Object.keys(ownBroker).length > 0) {
    draft.warnings.push(`${url.place}: not used, since [rabbit] says where RabbitMQ is. Remove one of them`);
    return;
  }
  const read = readTransportUrl(url.text.trim());
  if (typeof read === "string") {
    draft.mistakes.push(`${url.place}: ${read}`);
    return;
  }
  const tls = tlsOf(draft, read, url.place);
  const source = { ...brokersOf(read, { place: url.place, secure: tls !== false }), ...(tls === false ? {} : { tls }) };
  for (const [key, value] of Object.entries(source)) draft.set(["rabbit", key], value, url.place);
  warnOfDriver(draft);
  if (watchQueue === undefined) draft.set(["rabbit", "queue"], queueOf(draft), url.place);
}

function brokersOf(
  { hosts, vhost }: TransportUrl,
  { place, secure }: { readonly place: string; readonly secure: boolean },
): PlanObject {
  const [first = { host: "localhost" }, ...others] = hosts;
  const isAlike = ({ user, password, port }: TransportHost) =>
    user === first.user && password === first.password && port === first.port;
  if (!others.every(isAlike)) {
    return { url: hosts.map((host, index) => urlOf(host, { vhost, secure, place, number: index + 1 })) };
  }
  return {
    host: others.length === 0 ? first.host : hosts.map(({ host }) => host),
    // oslo.messaging's default, with TLS too.
    port: first.port ?? 5672,
    ...(first.user === undefined ? {} : { user: first.user }),
    ...(first.password === undefined
      ? {}
      : { password: new Secret("RABBIT_PASSWORD", { value: first.password, place, part: PASSWORD }) }),
    ...(vhost === null ? {} : { vhost }),
  };
}

/** With a different account for each broker, only whole URLs can be used. */
function urlOf(
  { host, port = 5672, user, password }: TransportHost,
  { vhost, secure, place, number }: { vhost: string | null; secure: boolean; place: string; number: number },
): PlanValue {
  const account = user === undefined ? "" : `${encodeURIComponent(user)}:${encodeURIComponent(password ?? "")}@`;
  const name = bracketedHost(host);
  const value = `amqp${secure ? "s" : ""}://${account}${name}:${port}/${encodeURIComponent(vhost ?? "")}`;
  return account === "" ? value : new Secret(`RABBIT_URL_${number}`, {
    value,
    place,
    part: `as amqp${secure ? "s" : ""}://user:password@${name}:${port}/vhost`,
  });
}

/** `false`: no TLS. The URL overrides the section. */
function tlsOf(draft: PlanDraft, { options }: TransportUrl, place: string): PlanObject | boolean {
  for (const name of [...options.keys()].filter((one) => !READ_OPTIONS.includes(one))) {
    draft.warnings.push(
      `${place}: "${name}" behind the ? is not read. Look for it in rabbit of config.ts, or leave it out`,
    );
  }
  const find = (names: readonly string[]) =>
    names.map((name) => inUrl(options.get(name), place)).find((value) => value !== undefined) ??
      names.map((name) => draft.find(RABBIT, name)).find((value) => value !== undefined);
  const ssl = find(SSL);
  if (ssl === undefined) return false;
  const isOn = booleanOf(ssl.text);
  if (isOn === undefined) draft.mistakes.push(`${ssl.place}: found "${printable(ssl.text, 60)}". Write true or false`);
  if (!isOn) return false;
  const files = Object.entries(FILES).flatMap(([key, names]) => {
    const file = find(names);
    return file === undefined ? [] : [[key, file.text] as const];
  });
  return files.length === 0 ? true : Object.fromEntries(files);
}

function inUrl(text: string | undefined, place: string): Pick<IniValue, "text" | "place"> | undefined {
  return text === undefined || text === "" ? undefined : { text, place };
}

/**
 * An own queue takes no messages from others; for services with topics other than the default, it
 * must be bound to those.
 */
function queueOf(draft: PlanDraft): PlanObject {
  const topics = listItems(
    (draft.find(NOTIFICATIONS, "topics") ?? draft.find("DEFAULT", "notification_topics"))?.text ?? "",
  );
  const name = { name: "oss-watcher" };
  if (topics.length === 0 || topics.includes("notifications")) return name;
  draft.remarks.set(
    "rabbit.queue.routingKeys",
    "The topics that this service sends to; Nova's versioned ones have their own.",
  );
  return { ...name, routingKeys: [...topics.map((topic) => `${topic}.info`), "versioned_notifications.info"] };
}

/** There may be several drivers. */
function warnOfDriver(draft: PlanDraft): void {
  const drivers = [...draft.findAll(NOTIFICATIONS, "driver"), ...draft.findAll("DEFAULT", "notification_driver")];
  // Before 2016 the name of a class.
  if (drivers.some(({ text }) => /^(?:messaging(?:v2)?|.*\.rpc_notifier2?|.*\.messaging(?:v2)?)$/.test(text))) return;
  const [driver] = drivers;
  const place = driver?.place ?? `driver of [${NOTIFICATIONS}]`;
  const found = driver === undefined ? "is not set there" : `is "${printable(driver.text, 60)}"`;
  draft.warnings.push(`${place}: ${found}: the service sends nothing. Write driver = messagingv2 and restart it`);
}
