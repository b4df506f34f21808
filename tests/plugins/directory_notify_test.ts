import assert from "node:assert/strict";
import { type Detail, PermanentError } from "../../mod.ts";
import { DirectoryNotify } from "../../plugins/directory_notify.ts";
import type { DirectoryNotifyOptions } from "../../plugins/directory_options.ts";
import { directoryRecord } from "../../plugins/directory_record.ts";
import { makeDetail } from "../../src/detail/make_detail.ts";
import { decide, WATCHED_EVENT_TYPES } from "../../src/facts/decide.ts";
import { decodeBody } from "../../src/intake/envelope.ts";
import { RamMemory } from "../../src/ledger/ram/memory.ts";
import { mergeByTime, readCapture } from "../support/captures.ts";
import { EVERYTHING } from "../support/rules.ts";
import { TestServer } from "../wire/server.ts";
import { context, detail as anyDetail, updateContext } from "./notification.ts";

/** The server in nova_dirsvc_plugin's manual. */
const detail: Detail = {
  ...anyDetail,
  ID: "2cb805cf-debe-43ae-a555-28a4a5d84694",
  ImageID: "035c2bc7-f2be-4607-afcf-c3b6237e9fe5",
  MAC: "fa:16:3e:56:50:29",
  ProjectName: "admin",
  UserName: "admin",
  RemoteAddress: "192.168.122.97",
};

const RECORD = {
  image_uuid: "035c2bc7-f2be-4607-afcf-c3b6237e9fe5",
  instance_uuid: "2cb805cf-debe-43ae-a555-28a4a5d84694",
  mac_address: "fa:16:3e:56:50:29",
  project_name: "admin",
  user_name: "admin",
  user_remote_address: "192.168.122.97",
};

/** To the letter from nova_dirsvc_plugin's manual. */
const MANUAL = `'Registering instance with directory service at 2015-03-22 06:53:00.510936'
{   'image_uuid': u'035c2bc7-f2be-4607-afcf-c3b6237e9fe5',
    'instance_uuid': '2cb805cf-debe-43ae-a555-28a4a5d84694',
    'mac_address': u'fa:16:3e:56:50:29',
    'project_name': u'admin',
    'user_name': u'admin',
    'user_remote_address': '192.168.122.97'}
'Unregistering instance from directory service at 2015-03-22 06:53:45.064330'
{   'instance_uuid': '2cb805cf-debe-43ae-a555-28a4a5d84694'}
`;

/** A directory service, a directory for the log, and the plugin between them. */
class Setting implements AsyncDisposable {
  readonly #directory = Deno.makeTempDirSync({ prefix: "directory-notify-" });
  readonly logFile = `${this.#directory}/nova_dirsvc_plugin.log`;
  readonly server: TestServer;
  readonly plugin: DirectoryNotify;

  constructor(options: Partial<DirectoryNotifyOptions> = {}, handler?: (request: Request) => Response) {
    this.server = new TestServer(handler);
    this.plugin = new DirectoryNotify({ url: `${this.server.url}/instances`, logFile: this.logFile, ...options });
  }

  /** The log, with the times of the manual in their order. */
  get log(): string {
    const times = ["2015-03-22 06:53:00.510936", "2015-03-22 06:53:45.064330"];
    return this.logWithTimes.replace(
      /(?<= at )\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}(?=')/g,
      () => times.shift() ?? "?",
    );
  }

  get logWithTimes(): string {
    return Deno.readTextFileSync(this.logFile);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.plugin[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
    await Deno.remove(this.#directory, { recursive: true });
  }
}

function answers(...statuses: number[]): () => Response {
  return () => new Response(null, { status: statuses.shift() ?? 200 });
}

Deno.test("notify() posts the record when a server came, and its UUID when it went", async () => {
  await using setting = new Setting();

  await setting.plugin.notify(detail, true, context());
  await setting.plugin.notify(detail, false, context({ key: "server/2/deletion" }));

  const sent = setting.server.requests.map(({ method, path, headers, body }) => ({
    request: `${method} ${path}`,
    type: headers.get("content-type"),
    key: headers.get("idempotency-key"),
    body: JSON.parse(body),
  }));
  const common = { request: "POST /instances", type: "application/json" };
  assert.deepEqual(sent, [
    { ...common, key: "server/5bd8b6a0-0b1f-4d6a-9b0f-0d0f3c2a1e11/creation", body: RECORD },
    { ...common, key: "server/2/deletion", body: { instance_uuid: RECORD.instance_uuid } },
  ]);
});

Deno.test("notify() posts deletions to urlDeletion when there is one", async () => {
  await using gone = new TestServer();
  await using setting = new Setting({ urlDeletion: `${gone.url}/gone` });

  await setting.plugin.notify(detail, false, context());

  assert.deepEqual(gone.requests.map(({ method, path }) => `${method} ${path}`), ["POST /gone"]);
  assert.equal(setting.server.requests.length, 0);
});

for (const end of ["", "/", "?tenant=a"]) {
  Deno.test(`notify() deletes the UUID below the URL when methodDeletion is DELETE and the URL ends in "${end}"`, async () => {
    await using server = new TestServer();
    await using plugin = new DirectoryNotify({ url: `${server.url}/i${end}`, logFile: null, methodDeletion: "DELETE" });

    await plugin.notify(detail, false, context());

    const [request] = server.requests;
    const query = end.startsWith("?") ? end : "";
    assert.equal(request?.path, `/i/2cb805cf-debe-43ae-a555-28a4a5d84694${query}`);
    assert.deepEqual([request?.method, request?.body, request?.headers.get("content-type")], ["DELETE", "", null]);
  });
}

for (const status of [404, 410]) {
  Deno.test(`notify() is done when DELETE is answered ${status}: it is gone`, async () => {
    await using setting = new Setting({ methodDeletion: "DELETE" }, answers(status));

    await setting.plugin.notify(detail, false, context());

    assert.match(setting.log, /^'Unregistering instance/);
  });

  Deno.test(`notify() throws when POST is answered ${status}`, async () => {
    await using setting = new Setting({}, answers(status));

    await assert.rejects(setting.plugin.notify(detail, false, context()), { status });
  });
}

for (const id of ["..", ".", "", "a/b", "a%2fb", "a?b", "ü", "x".repeat(65)]) {
  Deno.test(`notify() gives up for good when DELETE would make a URL of the id "${id}"`, async () => {
    await using setting = new Setting({ methodDeletion: "DELETE" });

    await assert.rejects(setting.plugin.notify({ ...detail, ID: id }, false, context()), PermanentError);

    assert.equal(setting.server.requests.length, 0);
  });
}

Deno.test("notify() gives up for good when the server has no id", async () => {
  await using setting = new Setting();

  await assert.rejects(setting.plugin.notify({ ...detail, ID: null }, true, context()), PermanentError);
});

Deno.test("notify() does nothing when a floating IP is associated or disassociated", async () => {
  await using setting = new Setting();

  for (const created of [true, false]) await setting.plugin.notify(detail, created, context({ subject: "floatingip" }));

  assert.equal(setting.server.requests.length, 0);
  assert.throws(() => setting.log, Deno.errors.NotFound);
});

Deno.test("notify() writes the manual's log to the letter when python2 is set", async () => {
  await using setting = new Setting({ python2: true });

  await setting.plugin.notify(detail, true, context());
  await setting.plugin.notify(detail, false, context());

  assert.equal(setting.log, MANUAL);
});

Deno.test("notify() writes the manual's log without u prefixes else", async () => {
  await using setting = new Setting();

  await setting.plugin.notify(detail, true, context());
  await setting.plugin.notify(detail, false, context());

  assert.equal(setting.log, MANUAL.replaceAll(": u'", ": '"));
});

Deno.test("notify() writes the time of the entry, UTC, with microseconds", async () => {
  await using setting = new Setting();
  const before = Date.now();

  await setting.plugin.notify(detail, false, context());

  const [, date, time] = /at (\S+) (\S+)'\n/.exec(setting.logWithTimes) ?? [];
  const at = Date.parse(`${date}T${time}Z`);
  assert.ok(before <= at && at <= Date.now(), setting.logWithTimes);
});

const HOSTILE = { ProjectName: `it's\r\n'Registering "x"\\`, UserName: "\x1b[2J\u202eé€😀\ud800", MAC: null };

Deno.test("notify() writes hostile names as Python 3 would", async () => {
  await using setting = new Setting();

  await setting.plugin.notify({ ...detail, ...HOSTILE }, true, context());

  const lines = setting.log.split("\n");
  assert.equal(lines.length, 8);
  assert.equal(lines[3], "    'mac_address': None,");
  assert.equal(lines[4], String.raw`    'project_name': 'it\'s\r\n\'Registering "x"\\',`);
  assert.equal(lines[5], String.raw`    'user_name': '\x1b[2J\u202eé€😀\ud800',`);
});

Deno.test("notify() writes hostile names as Python 2 would when python2 is set", async () => {
  await using setting = new Setting({ python2: true });

  await setting.plugin.notify({ ...detail, ...HOSTILE, RemoteAddress: "é" }, true, context());

  const lines = setting.log.split("\n");
  assert.equal(lines[3], "    'mac_address': None,");
  assert.equal(lines[4], String.raw`    'project_name': u'it\'s\r\n\'Registering "x"\\',`);
  assert.equal(lines[5], String.raw`    'user_name': u'\x1b[2J\u202e\xe9\u20ac\U0001f600\ud800',`);
  assert.equal(lines[6], String.raw`    'user_remote_address': '\xc3\xa9'}`);
});

Deno.test("notify() writes one entry when the first attempt failed", async () => {
  await using setting = new Setting({}, answers(503, 200));

  await assert.rejects(setting.plugin.notify(detail, true, context()), { reason: "server_error" });
  assert.equal(setting.logWithTimes, "");
  await setting.plugin.notify(detail, true, context({ attempt: 2 }));

  assert.equal(setting.log.match(/Registering/g)?.length, 1);
});

Deno.test("notify() sends nothing while its log cannot be opened", async () => {
  await using setting = new Setting();
  const plugin = new DirectoryNotify({ url: setting.server.url, logFile: `${setting.logFile}/missing/x.log` });

  await assert.rejects(plugin.notify(detail, true, context()), /Cannot open the directory log ".*x\.log"/);

  assert.equal(setting.server.requests.length, 0);
  await plugin[Symbol.asyncDispose]();
});

Deno.test("notify() goes on with a new log when the old one was rotated", async () => {
  await using setting = new Setting();

  await setting.plugin.notify(detail, true, context());
  await Deno.rename(setting.logFile, `${setting.logFile}.1`);
  await setting.plugin.notify(detail, false, context());

  assert.match(setting.log, /^'Unregistering instance/);
});

Deno.test("preview() shows the request that notify() sends", async () => {
  await using setting = new Setting({ user: "u", password: "s3cret", methodDeletion: "DELETE" });

  assert.deepEqual(setting.plugin.preview(detail, true, context()), {
    method: "POST",
    url: `${setting.server.url}/instances`,
    headers: {
      "authorization": "***",
      "content-type": "application/json",
      "idempotency-key": "server/5bd8b6a0-0b1f-4d6a-9b0f-0d0f3c2a1e11/creation",
      "oss-watcher-sequence": "1",
    },
    body: RECORD,
  });
  assert.deepEqual(setting.plugin.preview(detail, false, context({ key: "k" })), {
    method: "DELETE",
    url: `${setting.server.url}/instances/2cb805cf-debe-43ae-a555-28a4a5d84694`,
    headers: { "authorization": "***", "idempotency-key": "k", "oss-watcher-sequence": "1" },
    body: null,
  });
});

Deno.test("preview() says that nothing is sent for a floating IP", async () => {
  await using setting = new Setting();

  const preview = setting.plugin.preview(detail, true, context({ subject: "floatingip" }));

  assert.equal(preview, "nothing: a directory service is told of servers only");
});

Deno.test("check() rejects when the log cannot be opened, and when nobody listens", async () => {
  const never = new AbortController().signal;
  await using setting = new Setting();
  await using logless = new DirectoryNotify({ url: setting.server.url, logFile: "/missing/directory/x.log" });

  await setting.plugin.check(never);
  await assert.rejects(logless.check(never), /Cannot open the directory log/);
  await setting.server[Symbol.asyncDispose]();
  await assert.rejects(setting.plugin.check(never), { reason: "connection" });
});

Deno.test("directoryRecord() has null for what is unknown", () => {
  const record = directoryRecord({ ...detail, ImageID: null, MAC: null, RemoteAddress: null });

  assert.deepEqual(record, { ...RECORD, image_uuid: null, mac_address: null, user_remote_address: null });
});

Deno.test("directoryRecord() can be derived from the detail of every recorded creation of a server", () => {
  const details = creationsOf(["unversioned.jsonl", "versioned.jsonl"]);

  assert.ok(details.length > 10, String(details.length));
  for (const each of details) {
    const { user_remote_address, ...record } = directoryRecord(each);
    assert.match(record.instance_uuid ?? "", /^[0-9a-f-]{36}$/);
    // Servers without a network have none.
    if (each.Addresses.length > 0) assert.match(record.mac_address ?? "", /^fa:16:3e(?::[0-9a-f]{2}){3}$/);
    assert.match(record.image_uuid ?? "", /^[0-9a-f-]{36}$/);
    assert.ok(record.project_name && record.user_name, JSON.stringify(record));
    // Nova's releases of today put `<redacted>` there, or nothing.
    assert.ok(user_remote_address === null || /^[0-9a-f.:]+$/.test(user_remote_address), `${user_remote_address}`);
  }
});

/** The details of the servers that came, as the service makes them of recorded messages. */
function creationsOf(captures: readonly string[]): Detail[] {
  const memory = new RamMemory();
  const details: Detail[] = [];
  for (const line of mergeByTime(...captures.map(readCapture))) {
    const decoded = decodeBody(new TextEncoder().encode(line.body));
    if ("refused" in decoded || !WATCHED_EVENT_TYPES.has(decoded.notification.eventType)) continue;
    const decision = decide(decoded.notification, memory, EVERYTHING);
    memory.apply(decision.changes);
    const came = decision.events.filter(({ subject, created }) => subject === "server" && created);
    details.push(...came.map((event) => makeDetail(event).detail));
  }
  return details;
}

for (
  const [key, value] of [
    ["ImageID", "0afc2bc7-f2be-4607-afcf-c3b6237e9fe5"],
    ["MAC", "fa:16:3e:56:50:30"],
    ["ProjectName", "demo"],
    ["UserName", null],
    ["RemoteAddress", "192.168.122.98"],
  ] as const
) {
  Deno.test(`update() registers the server again when its ${key} has changed`, async () => {
    await using setting = new Setting({ updates: true, python2: true });
    const before = { ...detail, [key]: value };

    await setting.plugin.update?.(detail, updateContext({ before, changed: [key] }));

    const sent = setting.server.requests.map(({ method, path, headers, body }) => ({
      request: `${method} ${path}`,
      key: headers.get("idempotency-key"),
      body: JSON.parse(body),
    }));
    const update = "server/5bd8b6a0-0b1f-4d6a-9b0f-0d0f3c2a1e11/update/1";
    assert.deepEqual(sent, [{ request: "POST /instances", key: update, body: RECORD }]);
    assert.equal(setting.log, MANUAL.slice(0, MANUAL.indexOf("'Unregistering")));
  });
}

Deno.test("update() does nothing, and its preview says so, when the server's record is the same", async () => {
  await using setting = new Setting({ updates: true });
  const unrelated = updateContext({ before: { ...detail, FQDN: "old" } });

  await setting.plugin.update?.(detail, unrelated);

  assert.equal(setting.server.requests.length, 0);
  assert.throws(() => setting.log, Deno.errors.NotFound);
  assert.equal(setting.plugin.previewUpdate?.(detail, unrelated), "nothing: the server's record has not changed");
});

Deno.test("DirectoryNotify has no update() unless updates is true: it is not told of updates", async () => {
  for (const options of [{}, { updates: false }]) {
    await using setting = new Setting(options);
    const { update, previewUpdate } = setting.plugin;
    assert.deepEqual([typeof update, typeof previewUpdate], ["undefined", "undefined"]);
  }
});
