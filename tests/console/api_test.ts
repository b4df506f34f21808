import assert from "node:assert/strict";
import type * as api from "../../src/console/api.ts";
import { CloudPublisher } from "../../tools/publisher.ts";
import { type PrivateRabbit, startRabbit } from "../../tools/rabbitmq.ts";
import { Receiver } from "../../tools/receiver.ts";
import { EXPECTED } from "../facts/expected_events.ts";
import { mergeByTime, readCapture } from "../support/captures.ts";
import { temporaryDatabase } from "../support/postgres_server.ts";
import { until } from "../support/until.ts";
import { ApiChecker } from "./api_schema_checker.ts";
import { LONG_MS, RunningConsole, type Session } from "./consoles.ts";

const PASSWORD = "hush-4711-sesame";
const RUN = mergeByTime(readCapture("unversioned.jsonl"), readCapture("versioned.jsonl"))
  .filter(({ body }) => /(instance\.(create|delete)|floatingip\.\w+|port\.(update|delete))\.end/.test(body));

let rabbit: PrivateRabbit;

Deno.test.beforeAll(async () => void (rabbit = await startRabbit()));
Deno.test.afterAll(() => rabbit.stop());

/** A service with the events of the recorded cloud: `Good` was told all, `Bad` refuses all. */
class Stage implements AsyncDisposable {
  readonly running: RunningConsole;
  readonly session: Session;
  readonly good: Receiver;
  readonly bad: Receiver;
  readonly checker: ApiChecker;
  readonly #others: AsyncDisposableStack;

  private constructor(
    { running, session, good, bad, checker }: Pick<Stage, "running" | "session" | "good" | "bad" | "checker">,
    others: AsyncDisposableStack,
  ) {
    this.running = running;
    this.session = session;
    this.good = good;
    this.bad = bad;
    this.checker = checker;
    this.#others = others;
  }

  static async open(engine: "sqlite" | "postgres", name: string): Promise<Stage> {
    const others = new AsyncDisposableStack();
    const publisher = others.use(new CloudPublisher(rabbit.url));
    const exchange = `${name}-${engine}`;
    await publisher.declareExchange(exchange, { durable: true });
    const [good, bad] = [others.use(new Receiver()), others.use(new Receiver())];
    bad.answer = () => new Response("no such owner", { status: 422 });
    const running = others.use(
      await RunningConsole.start({
        rabbit: `{ url: "${rabbit.url}", queue: { name: "${exchange}", exchanges: ["${exchange}"], type: "classic" } }`,
        plugins: `${rest("Good", good.port)}, ${rest("Bad", bad.port)}, { name: "Lines", notify() {} }`,
        ...await ledgerOf(engine, others),
        env: { CMDB_PASSWORD: PASSWORD },
      }),
    );
    await until(() => running.service.log.includes("Listening on queue"), LONG_MS);
    for (const { routing_key: routingKey, body } of RUN) await publisher.publish({ exchange, routingKey, body });
    await until(() => new Set(good.requests.map(({ key }) => key)).size === EXPECTED.length, LONG_MS);
    const session = await running.signIn();
    await until(async () => {
      const { plugins } = await session.get<api.OverviewAnswer>("overview");
      return plugins.every(({ waiting }) => waiting === 0) &&
        plugins.find(({ name }) => name === "Bad")!.dead === EXPECTED.length;
    }, LONG_MS);
    const checker = new ApiChecker(await session.get("openapi.json"));
    return new Stage({ running, session, good, bad, checker }, others);
  }

  /** Asks, and holds the answer against the document. */
  async ask<T>(method: string, path: string, { body, route = path.split("?")[0], status = 200 }: {
    readonly body?: unknown;
    /** The path in the document. */
    readonly route?: string | undefined;
    readonly status?: number;
  } = {}): Promise<T> {
    const response = await this.session.fetch(method, path, { body });
    const text = await response.text();
    assert.equal(response.status, status, `${method} ${path}: ${text}`);
    assert.equal(response.headers.get("content-type"), "application/json");
    assert.ok(!text.includes(PASSWORD), `${path} has the password`);
    this.checker.check(`${method} /${route}`, { status, body: JSON.parse(text) });
    return JSON.parse(text);
  }

  get<T>(path: string): Promise<T> {
    return this.ask("GET", path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#others[Symbol.asyncDispose]();
  }
}

function rest(name: string, port: number): string {
  return `new RestNotify({ name: "${name}", host: "http://127.0.0.1", port: ${port}, user: "demo", ` +
    `password: env("CMDB_PASSWORD"), urlCreation: "/created", urlDeletion: "/deleted" })`;
}

async function ledgerOf(
  engine: "sqlite" | "postgres",
  others: AsyncDisposableStack,
): Promise<{ readonly ledger?: string }> {
  if (engine === "sqlite") return {};
  const { url, schema } = others.use(await temporaryDatabase());
  return { ledger: `{ postgres: { url: "${url}", schema: "${schema}" }, keepDays: 36500 }` };
}

for (const engine of ["sqlite", "postgres"] as const) {
  Deno.test(`every answer of the API is as its document says, with what happened (${engine})`, async () => {
    await using stage = await Stage.open(engine, "api");
    const session = await stage.get<api.SessionAnswer>("session");
    assert.deepEqual([session.user, session.role], ["anna", "operator"]);
    assert.equal(session.has.cluster, engine === "postgres");

    const overview = await stage.get<api.OverviewAnswer>("overview");
    assert.equal(overview.ledger.kind, engine);
    assert.ok(overview.messages.recorded > 0 && overview.sources.every(({ consuming }) => consuming));
    assert.deepEqual(overview.problems.map(({ text, link }) => [text, link]), [
      [`Bad has ${EXPECTED.length} dead letters`, "#/dead-letters?plugin=Bad"],
    ]);
    const counts = overview.plugins.map(({ name, waiting, dead, isConfigured }) => [name, waiting, dead, isConfigured]);
    assert.deepEqual(counts.sort(), [["Bad", 0, EXPECTED.length, true], ["Good", 0, 0, true], ["Lines", 0, 0, true]]);

    const hour = await stage.get<api.HistoryAnswer>("history?range=hour");
    assert.deepEqual([hour.stepSeconds, hour.times.length, hour.events.length], [30, 120, 120]);
    const day = await stage.get<api.HistoryAnswer>("history?range=day");
    assert.deepEqual([day.stepSeconds, day.times.length, day.waiting.length], [600, 144, 144]);

    const events: api.EventsAnswer["rows"][number][] = [];
    for (let before = "";;) {
      const page = await stage.get<api.EventsAnswer>(`events?plugin=Good&limit=7&before=${before}`);
      events.push(...page.rows);
      if (page.next === null) break;
      before = page.next;
    }
    assert.deepEqual(events.map(({ key }) => key).sort(), EXPECTED.map(({ key }) => key).sort());
    assert.ok(events.every(({ state, plugin }) => state === "done" && plugin === "Good"));
    const deletion = events.find(({ kind, subject }) => kind === "deletion" && subject === "server")!;
    const { rows: states } = await stage.get<api.StatesAnswer>(`events/states?seqs=${deletion.seq}`);
    assert.deepEqual(new Set(states.map(({ plugin }) => plugin)), new Set(["Good", "Bad", "Lines"]));

    const event = await stage.get<api.EventAnswer>(`event?key=${deletion.key}`);
    assert.deepEqual([event.kind, event.subject, event.serverId], ["deletion", "server", deletion.serverId]);
    assert.equal(event.deliveries.find(({ plugin }) => plugin === "Bad")!.failures.length, 1);
    const preview = await stage.get<api.PreviewAnswer>(`preview?key=${deletion.key}`);
    const sent = preview.plugins.find(({ name }) => name === "Good")!.preview as Record<
      string,
      Record<string, unknown>
    >;
    assert.equal(sent["headers"]!["oss-watcher-sequence"], String(deletion.seq));
    assert.equal(sent["headers"]!["authorization"], "***");
    const server = await stage.get<api.ServerAnswer>(`server?id=${deletion.serverId}`);
    assert.equal(server.events.at(-1)!.key, deletion.key);
    assert.deepEqual(server.told.map(({ plugin, key }) => [plugin, key]), [
      ["Bad", null],
      ["Good", deletion.key],
      ["Lines", deletion.key],
    ]);

    const { groups } = await stage.get<api.DeadLettersAnswer>("dead-letters");
    assert.deepEqual(groups.map(({ plugin, count, reason }) => [plugin, count, reason]), [[
      "Bad",
      EXPECTED.length,
      "client_error",
    ]]);

    const { plugins } = await stage.get<api.PluginsAnswer>("plugins");
    const good = plugins.find(({ name }) => name === "Good")!;
    assert.equal(good.settings!.kind, "RestNotify");
    assert.equal((good.settings!.options as Record<string, unknown>)["password"], "***");
    assert.equal(good.deliveries.done, EXPECTED.length);
    assert.deepEqual(await stage.ask("POST", "plugins/check", { body: { name: "Lines" }, status: 409 }), {
      error: "Cannot check Lines: the plugin has no method check",
    });
    const check = await stage.ask<api.CheckAnswer>("POST", "plugins/check", { body: { name: "Good" } });
    assert.deepEqual([check.ok, check.error], [true, null]);

    for (const action of ["pause", "resume", "try"]) {
      const answer = await stage.ask<api.PluginActionAnswer>("POST", `plugins/${action}`, { body: { name: "Good" } });
      assert.deepEqual(answer, { name: "Good", count: 0 });
    }

    const drift = await stage.get<api.DriftAnswer>("drift");
    assert.equal(drift.running, null);
    for (const [method, status] of [["POST", 409], ["DELETE", 404]] as const) {
      await stage.ask(method, "drift/compare", { ...(method === "POST" ? { body: { apply: false } } : {}), status });
    }
    const { processes } = await stage.get<api.ClusterAnswer>("cluster");
    assert.equal(processes?.processes.length ?? null, engine === "postgres" ? 1 : null);

    const target = { plugin: "Bad", reason: "client_error" };
    const plan = await stage.ask<api.ActionPlan>("POST", "actions/plan", { body: { action: "drop", target } });
    assert.deepEqual(plan, { count: EXPECTED.length, refused: [], isComplete: true });
    const begun = await stage.ask<api.ActionAnswer>("POST", "actions", { body: { action: "drop", target } });
    const ended = await until(async () => {
      const answer = await stage.ask<api.ActionAnswer>("GET", `actions/${begun.id}`, { route: "actions/{id}" });
      return answer.state === "running" ? null : answer;
    }, LONG_MS);
    assert.deepEqual([ended.state, ended.total, ended.done, ended.refusedCount], [
      "done",
      EXPECTED.length,
      EXPECTED.length,
      0,
    ]);
    await stage.ask("DELETE", `actions/${begun.id}`, { route: "actions/{id}" });
    assert.deepEqual((await stage.get<api.DeadLettersAnswer>("dead-letters")).groups, []);

    const text = RUN.slice(0, 20).map(({ body }) => body).join("\n") + "\nno notification\n";
    const tried = await stage.ask<api.TryAnswer>("POST", "try", { body: { text } });
    assert.equal(tried.results.length, 20);
    assert.deepEqual(tried.refused, [{ line: 21, reason: "not JSON" }]);
    assert.ok(tried.results.some(({ plugins }) => plugins.length > 0));

    const log = await stage.get<api.AuditLogAnswer>("audit-log");
    assert.deepEqual(log.records.map(({ who, action, what }) => [who, action, what]), [
      [
        "anna (console)",
        "drop",
        `${EXPECTED.length} dead letters of Bad (client_error): done, ${EXPECTED.length} changed, 0 refused`,
      ],
      ["anna (console)", "drop", `${EXPECTED.length} dead letters of Bad (client_error)`],
      ["anna (console)", "try", "Good"],
      ["anna (console)", "resume", "Good"],
      ["anna (console)", "pause", "Good"],
      ["anna (console)", "sign-in", "as operator"],
    ]);
    const [newest] = (await stage.get<api.AuditLogAnswer>("audit-log?limit=1")).records;
    assert.deepEqual(newest, log.records[0]);

    await stage.ask("DELETE", "session");
    // Comparisons take an OpenStack, a stream is no JSON.
    assert.deepEqual([...stage.checker.unchecked].sort(), [
      "DELETE /drift/compare",
      "GET /stream",
      "POST /drift/compare",
    ]);
  });

  Deno.test(`requests that nobody can answer are refused with a reason (${engine})`, async () => {
    await using stage = await Stage.open(engine, "refused");
    const { key } = (await stage.get<api.EventsAnswer>("events?limit=1")).rows[0]!;
    const cases: readonly (readonly [method: string, path: string, status: number, body?: unknown])[] = [
      ["GET", "history", 400],
      ["GET", "history?range=year", 400],
      ["GET", "events?limit=501", 400],
      ["GET", "events?limit=ten", 400],
      ["GET", "events?state=lost", 400],
      ["GET", "events?before=1", 400],
      ["GET", "events?nothing=1", 400],
      ["GET", "events?plugin=Good&plugin=Bad", 400],
      ["GET", `events?text=${"a".repeat(513)}`, 400],
      ["GET", "events/states?seqs=1,x", 400],
      ["GET", "event", 400],
      ["GET", "event?key=server/none/creation", 404],
      ["GET", "preview?key=server/none/creation", 404],
      ["GET", "server?id=none", 404],
      ["POST", "actions", 400, { action: "drop" }],
      ["POST", "actions", 400, { action: "drop", target: { keys: [] } }],
      ["POST", "actions", 400, { action: "drop", target: { plugin: "Bad", reason: "whim" } }],
      ["POST", "actions", 400, { action: "burn", target: { keys: [key] } }],
      ["POST", "actions", 400, { action: "drop", target: { keys: [key] }, more: 1 }],
      ["POST", "plugins/pause", 404, { name: "Nobody" }],
      ["POST", "plugins/check", 404, { name: "Nobody" }],
      ["POST", "plugins/try", 404, { name: "Nobody" }],
      ["POST", "plugins/try", 400, ["Good"]],
    ];
    for (const [method, path, status, body] of cases) {
      const { error } = await stage.ask<api.ErrorAnswer>(method, path, { body, status });
      assert.match(error, /^Cannot [^:]+(?:: .+|\..*)$/s, path);
    }
    const unknown = await stage.session.fetch("GET", "nothing");
    assert.deepEqual([unknown.status, await unknown.json()], [404, {
      error: "Cannot find this: see /api/v1/openapi.json",
    }]);
    const wrong = await stage.session.fetch("POST", "overview", { body: {} });
    assert.deepEqual([wrong.status, wrong.headers.get("allow")], [405, "GET, HEAD"]);
    await wrong.body?.cancel();
    const form = await stage.session.fetch("POST", "try", { body: {}, headers: { "content-type": "text/plain" } });
    assert.equal(form.status, 415);
    await form.body?.cancel();
    const large = await stage.session.fetch("POST", "try", { body: { text: "x".repeat(10 * 1024 * 1024) } });
    assert.equal(large.status, 413);
    await large.body?.cancel();
    const tooLong = await stage.session.fetch("POST", "try", { body: { text: "x".repeat(4 * 1024 * 1024 + 1) } });
    assert.equal(tooLong.status, 400);
    await tooLong.body?.cancel();
  });
}
