import assert from "node:assert/strict";
import { RestNotify, type RestNotifyOptions } from "oss-watcher/plugins";
import { assertHttpPreview, HTTP_ANSWERS, HttpHarness, type HttpTaken, type SampleEvent } from "oss-watcher/testing";
import { type PluginContract, testPlugin } from "oss-watcher/testing";
import type { SampleUpdate } from "oss-watcher/testing";
import { assertChanged } from "../support/changed_list.ts";
import { TestPki } from "../wire/pki.ts";

const WHSEC = "whsec_" + btoa("a signing secret of the contract");

/** What holds for every way to send. */
const common = {
  openTarget: () => HttpHarness.open(),
  answers: HTTP_ANSWERS,
  identify: ({ headers }) => headers["idempotency-key"] ?? "",
} satisfies Partial<PluginContract<HttpHarness>>;

function assertHeaders({ method, headers }: HttpTaken, { context }: SampleEvent, expected: string[]): void {
  const seen = headers["oss-watcher-creation-seen"];
  assert.deepEqual([method, headers["content-type"], seen], [...expected, String(context.creationSeen)]);
}

function assertUpdated({ method, path, headers }: HttpTaken, { context }: SampleUpdate, expected: string[]): void {
  assert.deepEqual([method, path, headers["content-type"]], expected);
  assert.equal(headers["oss-watcher-creation-seen"], "true");
  assertChanged(headers["oss-watcher-changed"] ?? "", context.changed);
}

const basic = { user: "watcher", password: "pa55 of the contract", headers: { "X-Api-Key": "k3y-of-the-contract" } };

testPlugin({
  ...common,
  name: "RestNotify with JSON and a password",
  make: ({ url }) =>
    new RestNotify({
      ...basic,
      host: url,
      ...{ urlCreation: "/new", urlDeletion: "/old?token=t0ken-x", urlUpdate: "/changed?token=t0ken-x" },
    }),
  secrets: ["pa55 of the contract", "watcher:pa55 of the contract", "k3y-of-the-contract", "t0ken-x"],
  right: () =>
    new RestNotify({
      ...basic,
      host: "https://h",
      urlCreation: "/a",
      urlDeletion: "/b?token=t0ken-x",
      urlUpdate: "/c?token=t0ken-x",
      caFile: "/ca.pem",
    }),
  wrong: {
    make: () =>
      new RestNotify({
        host: "https://watcher:pa55 of the contract@h",
        port: 0,
        urlCreation: "a",
        urlUpdate: "/c",
        method: "GET",
        methodUpdate: "GET",
        body: "xml",
        signingSecrets: ["pa55 of the contract"],
        user: "a:b",
        password: "pa55 of the contract\n",
        timeoutSeconds: 0,
        headers: { "Idempotency-Key": "k3y-of-the-contract" },
        keyFile: "k",
        bodyy: 1,
        name: "",
      } as unknown as RestNotifyOptions),
    names: [
      ...["host", "port", "urlCreation", "urlDeletion", "method", "methodUpdate", "body", "signingSecrets"],
      ...["user", "password"],
      ...["timeoutSeconds", "headers", "keyFile", "bodyy", "name"],
    ],
  },
  assertTaken: (taken, event) => {
    assertHeaders(taken, event, ["POST", "application/json"]);
    assert.equal(taken.path, event.created ? "/new" : "/old?token=t0ken-x");
    assert.deepEqual(JSON.parse(taken.body), event.detail);
  },
  assertUpdated: (taken, update) => {
    assertUpdated(taken, update, ["PUT", "/changed?token=t0ken-x", "application/json"]);
    assert.deepEqual(JSON.parse(taken.body), update.detail);
  },
  assertPreview: assertHttpPreview,
});

const signed = { method: "PUT", body: "vco-xml", bearer: "t0ken-of-the-contract", signingSecrets: [WHSEC] } as const;

testPlugin({
  ...common,
  name: "RestNotify with XML, a token and a signature",
  make: ({ url }) =>
    new RestNotify({
      ...signed,
      ...{ urlCreation: `${url}/new`, urlDeletion: `${url}/old`, urlUpdate: `${url}/new`, methodUpdate: "PATCH" },
    }),
  secrets: [WHSEC, WHSEC.slice("whsec_".length), "a signing secret of the contract", "t0ken-of-the-contract"],
  right: () =>
    new RestNotify({ ...signed, urlCreation: "http://h/a", urlDeletion: "http://h/b", urlUpdate: "http://h/c" }),
  stable: ({ method, path, body, headers }) => [method, path, body, headers["webhook-id"]],
  assertTaken: (taken, event) => {
    assertHeaders(taken, event, ["PUT", "application/xml"]);
    const json = /<string>([^<]*)<\/string>/.exec(taken.body)?.[1] ?? "";
    assert.deepEqual(JSON.parse(unescapeXml(json)), event.detail);
  },
  assertUpdated: (taken, update) => {
    assertUpdated(taken, update, ["PATCH", "/new", "application/xml"]);
    assert.match(taken.headers["webhook-signature"] ?? "", /^v1,/);
  },
  assertPreview: (preview, { headers, ...taken }) => {
    const timestamp = (preview as { headers: Record<string, string> }).headers["webhook-timestamp"];
    // The event's time, not that of the attempt: a preview is the same whenever it is asked for.
    assert.match(new Date(Number(timestamp) * 1000).toISOString(), /^2026-11-21T.*:01\.000Z$/);
    assertHttpPreview(preview, { ...taken, headers: { ...headers, "webhook-timestamp": timestamp ?? "" } });
  },
});

const pki = await TestPki.make();
Deno.test.afterAll(() => pki[Symbol.asyncDispose]());
const { cert, key } = await pki.issue("localhost");
const { certFile, keyFile } = await pki.issue("watcher");
const clientCa = await Deno.readTextFile(pki.caFile);
const { answers: _, ...tls } = common;

testPlugin({
  ...tls,
  name: "RestNotify with certificates",
  openTarget: () => HttpHarness.open({ cert, key, clientCa }),
  make: ({ url }) =>
    new RestNotify({ host: url, urlCreation: "/new", urlDeletion: "/old", caFile: pki.caFile, certFile, keyFile }),
  assertPreview: assertHttpPreview,
});

/** What a parser would read. */
function unescapeXml(text: string): string {
  const named = { lt: "<", gt: ">", quot: '"', apos: "'", "#9": "\t", "#10": "\n", "#13": "\r", amp: "&" };
  return Object.entries(named).reduce((rest, [name, char]) => rest.replaceAll(`&${name};`, char), text);
}
