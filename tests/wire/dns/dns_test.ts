import assert from "node:assert/strict";
import * as fc from "fast-check";
import { DnsTarget, type DnsTargetOptions, dnsUpdateText, type DnsZoneUpdate } from "oss-watcher/kit";
import { AnsweringServer, type AnswerSignature, answerTo } from "../../support/dns_answers.ts";
import { type DnsServer, KEY, startDnsServer } from "../../support/dns_server.ts";

let bind: DnsServer;
Deno.test.beforeAll(async () => {
  bind = await startDnsServer("bind");
});
Deno.test.afterAll(() => bind[Symbol.asyncDispose]());

const signal = new AbortController().signal;
const UPDATE: DnsZoneUpdate = { zone: "cloud.example.com", prerequisites: [], changes: [] };

function targetOf(ports: number | readonly number[], options: Partial<DnsTargetOptions> = {}): DnsTarget {
  return new DnsTarget({ ...KEY, server: [ports].flat().map((port) => `127.0.0.1:${port}`), ...options });
}

/** What an update leads to that is answered so. */
async function outcomeOf(answer: (request: Uint8Array) => Uint8Array | null, options: Partial<DnsTargetOptions> = {}) {
  await using server = new AnsweringServer(answer);
  try {
    return String(await targetOf(server.port, options).update(UPDATE, signal));
  } catch (error) {
    assert(error instanceof Error);
    assert.ok(!error.message.includes(KEY.keySecret));
    return `${"reason" in error ? error.reason : error.name}: ${error.message.replace(/^.*?:\d+: /, "")}`;
  }
}

Deno.test("update() takes each answer by its meaning", async () => {
  const answers: readonly (readonly [code: number, outcome: RegExp])[] = [
    [0, /^true$/],
    [1, /^PermanentError: FORMERR \(1\)$/],
    [2, /^server_error: SERVFAIL \(2\)$/],
    [3, /^false$/],
    [4, /^server_error: NOTIMP \(4\); set server to a primary/],
    [5, /^unauthorized: REFUSED \(5\); let the key do this/],
    [6, /^false$/],
    [7, /^false$/],
    [8, /^false$/],
    [9, /^server_error: NOTAUTH \(9\); set server to a primary of this zone/],
    [10, /^PermanentError: NOTZONE \(10\); set zones/],
    [14, /^server_error: an unknown error \(14\)$/],
  ];
  for (const [code, outcome] of answers) {
    assert.match(await outcomeOf((request) => answerTo(request, code)), outcome);
  }
});

Deno.test("update() believes no answer without the right signature", async () => {
  const answers: readonly (readonly [code: number, signature: AnswerSignature, outcome: RegExp])[] = [
    [0, { secret: null }, /^server_error: the answer is not believed: it is not signed$/],
    [3, { secret: null }, /^other: NXDOMAIN \(3\), in an answer that is not signed$/],
    [1, { secret: null }, /^server_error: FORMERR \(1\), in an answer that is not signed$/],
    [9, { secret: null }, /^unauthorized: NOTAUTH \(9\), in an answer that is not signed; check the key/],
    [0, { secret: "b3RoZXI=" }, /^server_error: the answer is not believed: its signature does not match$/],
    [0, { keyName: "other" }, /^server_error: the answer is not believed: its signature is by another key$/],
    [0, { hasMac: false }, /^server_error: the answer is not believed: its signature is empty$/],
    [0, { ahead: 301 }, /^server_error: .* its signature is from another time; set the clocks$/],
    [0, { ahead: -290 }, /^true$/],
    [9, { hasMac: false, error: 16 }, /^unauthorized: BADSIG \(16\); check keySecret/],
    [9, { hasMac: false, error: 17 }, /^unauthorized: BADKEY \(17\); check keyName/],
    [9, { error: 18 }, /^unauthorized: BADTIME \(18\); set the clocks/],
    [9, { error: 18, secret: "b3RoZXI=" }, /^server_error: .* its signature does not match$/],
  ];
  for (const [code, signature, outcome] of answers) {
    assert.match(await outcomeOf((request) => answerTo(request, code, signature)), outcome, JSON.stringify(signature));
  }
});

Deno.test("update() does not believe an answer to another message, or one that is cut short", async () => {
  const with_ = (at: number, change: (byte: number) => number) => (request: Uint8Array) =>
    answerTo(Uint8Array.from(request, (byte, index) => index === at ? change(byte) : byte), 0);
  assert.match(await outcomeOf(with_(0, (byte) => byte ^ 1)), /it is to another message$/);
  assert.match(await outcomeOf((request) => request), /it is to another message$/);
  assert.match(
    await outcomeOf((request) => answerTo(request, 0).fill(0x86 | 0x28, 2, 3)),
    /its signature does not match$/,
  );
  assert.match(await outcomeOf(() => null), /^connection: /);
});

Deno.test("update() neither hangs nor crashes when it is answered with garbage", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 80 }), fc.nat(), fc.boolean(), async (bytes, at, isChanged) => {
      const outcome = await outcomeOf((request) => {
        if (!isChanged) return bytes;
        const answer = answerTo(request, 0);
        for (const [index, byte] of bytes.entries()) answer[(at + 7 * index) % answer.length]! ^= byte | 1;
        return answer;
      }, { timeoutSeconds: 1 });
      if (bytes.length > 0) assert.match(outcome, /^(?:server_error|unauthorized|other|connection): /);
    }),
    { numRuns: 150 },
  );
});

Deno.test("update() tries the servers in turn, the one that answered first of all next time", async () => {
  await using dead = new AnsweringServer(() => null);
  await using failing = new AnsweringServer((request) => answerTo(request, 2));
  await using well = new AnsweringServer((request) => answerTo(request, 0));
  const target = targetOf([dead.port, failing.port, well.port]);
  assert.equal(await target.update(UPDATE, signal), true);
  assert.equal(await target.update(UPDATE, signal), true);
  assert.deepEqual([dead, failing, well].map(({ requests }) => requests.length), [1, 1, 2]);
});

Deno.test("update() tells what each server answered when none does it", async () => {
  await using one = new AnsweringServer(() => null);
  await using other = new AnsweringServer((request) => answerTo(request, 2));
  await assert.rejects(targetOf([one.port, other.port]).update(UPDATE, signal), {
    reason: "connection",
    message: new RegExp(
      `^Cannot update .* on 127.0.0.1:${one.port}: .*; Cannot update .* on 127.0.0.1:${other.port}: SERVFAIL`,
    ),
  });
});

Deno.test("update() ends after timeoutSeconds, and when its signal is aborted", async () => {
  await using server = new AnsweringServer(() => new Promise(() => {}));
  const target = targetOf(server.port, { timeoutSeconds: 0.2 });
  await assert.rejects(target.update(UPDATE, signal), { reason: "timeout", message: /no answer within 0.2 s$/ });
  const stop = new AbortController();
  const ended = assert.rejects(targetOf(server.port).update(UPDATE, stop.signal), { reason: "interrupted" });
  stop.abort();
  await ended;
});

Deno.test("BIND takes what DnsTarget and nsupdate are given alike", async () => {
  const texts = ['a "quoted" text\\', "", "\x00\x07\xff", "x".repeat(255)];
  const names = ["web-1", "a", "x".repeat(63), "xn--bcher-kva"].map((label) => `${label}.cloud.example.com`);
  const changes = names.flatMap((name): DnsZoneUpdate["changes"] => [
    { operation: "add", record: { name, type: "A", ttl: 300, data: "10.0.0.1" } },
    { operation: "add", record: { name, type: "AAAA", ttl: 300, data: "2001:db8::1" } },
    { operation: "add", record: { name: `_oss-watcher.${name}`, type: "TXT", ttl: 300, data: texts } },
  ]);
  const update: DnsZoneUpdate = { ...UPDATE, prerequisites: [{ is: "unused", name: names[0]! }], changes };

  await bind.clear();
  assert.equal(await targetOf(bind.port).update(update, signal), true);
  const ours = await bind.records();
  await bind.clear();
  await bind.nsupdate(dnsUpdateText(update).split("\n").slice(0, -1));
  assert.deepEqual(ours, await bind.records());
  assert.equal(ours.length, 12);

  const listed = await Array.fromAsync(targetOf(bind.port).transfer("cloud.example.com", signal));
  assert.equal(listed.length, 12);
  assert.deepEqual(listed.find(({ type }) => type === "TXT")?.data, texts);
  await bind.clear();
});

Deno.test("transfer() reads a zone of many messages, each signature upon the one before", async () => {
  await bind.clear();
  const target = targetOf(bind.port);
  const changes = Array.from({ length: 500 }, (_, at): DnsZoneUpdate["changes"][number] => ({
    operation: "add",
    record: { name: `n${at}.cloud.example.com`, type: "TXT", ttl: 60, data: ["x".repeat(100), String(at)] },
  }));
  for (let at = 0; at < changes.length; at += 250) {
    await target.update({ ...UPDATE, changes: changes.slice(at, at + 250) }, signal);
  }
  for (const keyName of ["oss-watcher", "oss-watcher-512"]) {
    const keyAlgorithm = keyName.endsWith("512") ? "hmac-sha512" : "hmac-sha256";
    const listed = await Array.fromAsync(
      targetOf(bind.port, { keyName, keyAlgorithm }).transfer("cloud.example.com", signal),
    );
    assert.equal(new Set(listed.map(({ name }) => name)).size, 500);
  }
  await assert.rejects(Array.fromAsync(target.transfer("other.example", signal)), { name: "DeliveryError" });
  await bind.clear();
});
