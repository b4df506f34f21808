import assert from "node:assert/strict";
import { diagnose, isBound } from "../../../src/inspect/doctor/diagnose.ts";
import type { Examination, Managed } from "../../../src/inspect/doctor/examine.ts";
import type { Flow } from "../../../src/inspect/doctor/traffic.ts";

const QUEUE: Examination["queue"] = {
  name: "oss-watcher",
  before: { messages: 0, consumers: 1 },
  after: { messages: 0, consumers: 1 },
  refused: null,
  isOwn: true,
  exchanges: ["nova", "neutron"],
  routingKeys: ["notifications.info", "versioned_notifications.info"],
  mismatch: null,
};

/** All is well, and the management API is not there. */
const WELL: Examination = {
  address: "rabbit-1:5672",
  version: "3.10.8",
  user: "watcher",
  vhost: "/",
  seconds: 5,
  follows: false,
  queue: QUEUE,
  exchanges: new Map([["nova", true], ["neutron", true]]),
  defaultQueues: [],
  flows: [flow("nova"), flow("neutron")],
  deaf: null,
  managed: { refused: "no" },
};

Deno.test("diagnose() finds nothing wrong with what is well", () => {
  assert.deepEqual(diagnose(WELL), []);
});

Deno.test("diagnose() warns of a service that is silent while the other is not", () => {
  const defaultQueue = { name: "notifications.info", before: state(0, 1), after: state(0, 1), refused: null };
  const [problem, ...others] = diagnose({ ...WELL, flows: [flow("nova")], defaultQueues: [defaultQueue] });
  assert.deepEqual(others, []);
  assert.equal(problem?.level, "warning");
  assert.match(problem?.text ?? "", /^Exchange "neutron" brought nothing while others did/);
  assert.match(problem?.remedies[0]?.where ?? "", /^In neutron\.conf/);
});

Deno.test("diagnose() knows by the management API that the other service never sent anything", () => {
  const bindings = ["oss-watcher", "notifications.info"].map((queue) => binding("nova", queue, "notifications.info"));
  const seen = { ...WELL, flows: [flow("nova")], managed: managed({ bindings }) };
  assert.deepEqual(diagnose(seen).map(({ level, text }) => `${level} ${text}`), [
    'error Exchange "neutron" has brought no notification: its service has no driver for them',
  ]);
});

Deno.test("diagnose() names an exchange that is not there", () => {
  const [problem] = diagnose({ ...WELL, exchanges: new Map([["nova", true], ["neutron", false]]) });
  assert.match(problem?.text ?? "", /^Exchange "neutron" is not there: /);
});

Deno.test("diagnose() passes on why our own queue cannot be as it should be", () => {
  const seen = { ...WELL, queue: { ...QUEUE, mismatch: "Queue exists already, with other properties" } };
  assert.equal(diagnose(seen)[0]?.text, "Queue exists already, with other properties");
});

Deno.test("diagnose() finds limits that lose messages", () => {
  const bindings = ["nova", "neutron"].map((exchange) => binding(exchange, "oss-watcher", "*.info"));
  const limited = {
    name: "oss-watcher",
    type: "classic",
    durable: true,
    messages: 0,
    consumers: 1,
    arguments: {},
    limits: { "max-length": 10, overflow: "reject-publish", expires: 1000 },
    deliveryLimit: undefined,
    policy: "small",
  };
  const texts = diagnose({ ...WELL, managed: managed({ bindings, queues: [limited] }) }).map(({ text }) => text);
  assert.equal(texts.length, 2);
  assert.match(
    texts[0] ?? "",
    /max-length 10: when it is full, new notifications are refused \(from the policy "small"/,
  );
  assert.match(texts[1] ?? "", /expires 1000 ms/);
});

Deno.test("diagnose() warns where Nova sends versioned notifications of servers alone", () => {
  const nova = (...formats: string[]) => ({
    ...WELL,
    flows: [{ ...flow("nova"), serverFormats: formats }, flow("neutron")],
  });
  const [problem, ...others] = diagnose(nova("versioned"));
  assert.deepEqual(others, []);
  assert.equal(problem?.level, "warning");
  assert.match(problem?.text ?? "", /^Nova sends versioned notifications alone: .* force-deleted /);
  assert.deepEqual(problem?.remedies[0]?.lines, ["[notifications]", "notification_format = both"]);
  // What is not about servers, such as service.update, has one format whatever Nova is configured to send.
  for (const formats of [[], ["unversioned"], ["unversioned", "versioned"]]) {
    assert.deepEqual(diagnose(nova(...formats)), []);
  }
});

Deno.test("diagnose() warns where config.ts follows changes, and Nova sends none", () => {
  const nova = (serverUpdates: number, { follows }: { readonly follows: boolean }) => ({
    ...WELL,
    follows,
    flows: [{ ...flow("nova"), serverFormats: ["unversioned"], serverUpdates }, flow("neutron")],
  });
  const [problem, ...others] = diagnose(nova(0, { follows: true }));
  assert.deepEqual(others, []);
  assert.equal(problem?.level, "warning");
  assert.match(problem?.text ?? "", /^Nova sends notifications of servers, and none of their changes /);
  assert.deepEqual(problem?.remedies[0]?.lines, [
    "[notifications]",
    "notify_on_state_change = vm_and_task_state",
  ]);
  assert.deepEqual(diagnose(nova(1, { follows: true })), []);
  assert.deepEqual(diagnose(nova(0, { follows: false })), []);
  // Without a notification of a server, nothing can be said.
  assert.deepEqual(diagnose({ ...WELL, follows: true }), []);
});

Deno.test("isBound() is unsure where somebody empties the queue, and the management API does not say", () => {
  assert.equal(isBound(WELL, flow("nova")), null);
  assert.equal(isBound(WELL, { exchange: "nova", routingKey: "monitoring.info" }), false);
  const idle = (messages: number) => ({ ...WELL, queue: { ...QUEUE, before: state(0, 0), after: state(messages, 0) } });
  assert.equal(isBound(idle(0), flow("nova")), false);
  assert.equal(isBound(idle(5), flow("nova")), null);
  assert.equal(isBound(idle(20), flow("nova")), true);
});

Deno.test("diagnose() gives lines that a shell takes as they are meant", () => {
  const defaultQueue = { name: "notifications.info", before: state(1, 0), after: state(2, 0), refused: null };
  const [problem] = diagnose({ ...WELL, vhost: "it's", defaultQueues: [defaultQueue] });
  assert.deepEqual(problem?.remedies[0]?.lines, [
    `rabbitmqctl set_policy -p 'it'\\''s' --apply-to queues unread-notifications \\`,
    `  '^(notifications\\.info)$' \\`,
    `  '{"max-length": 10000}'`,
  ]);
});

function flow(exchange: string): Flow {
  return {
    exchange,
    routingKey: "notifications.info",
    count: 10,
    handled: 1,
    unreadable: 0,
    drivers: ["messagingv2"],
    formats: [],
    serverFormats: [],
    serverUpdates: 0,
  };
}

function state(messages: number, consumers: number) {
  return { messages, consumers };
}

function binding(exchange: string, queue: string, routingKey: string) {
  return { exchange, queue, routingKey };
}

function managed(more: Partial<Managed>): Managed {
  return { queues: [], bindings: [], exchanges: new Map(), ...more };
}
