import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { deflateSync } from "node:zlib";
import { type Document, documentsFrom, readDocuments } from "../../src/runtime/documents.ts";
import { BZIP2_SAMPLE } from "../support/bzip2.ts";
import { readCapture, readSamples } from "../support/captures.ts";

const MESSAGE = { message_id: "m", event_type: "port.delete.end", payload: { port_id: "p" } };
const MESSAGE_TEXT = JSON.stringify(MESSAGE);
const ENVELOPE = { "oslo.version": "2.0", "oslo.message": MESSAGE_TEXT };

const FORMS = [
  ["a notification", MESSAGE],
  ["a body with its envelope", ENVELOPE],
  ["a capture's line", { exchange: "neutron", routing_key: "notifications.info", body: JSON.stringify(ENVELOPE) }],
  ["a capture's line without envelope", { body: MESSAGE_TEXT }],
  ["a capture's line in base64", { body_base64: Buffer.from(MESSAGE_TEXT).toString("base64") }],
  ["a sample", { wire_body: MESSAGE_TEXT, decoded_inner_message: { event_type: "not this" } }],
  ["a sample with envelope", { wire_body: JSON.stringify(ENVELOPE), wire_outer_message: ENVELOPE }],
  ["a compressed capture's line", {
    properties: { application_headers: { compression: "application/x-gzip" } },
    body_base64: deflateSync(MESSAGE_TEXT).toString("base64"),
  }],
  ["a capture's line with other properties", { properties: { application_headers: null }, body: MESSAGE_TEXT }],
  ["a capture's line with properties of no use", { properties: 7, body: MESSAGE_TEXT }],
] as const;

for (const [what, form] of FORMS) {
  Deno.test(`readDocuments() reads ${what}`, async () => {
    assert.deepEqual(await told(JSON.stringify(form)), ["1 m"]);
    assert.deepEqual(await told(JSON.stringify(form, null, 2)), ["1 m"]);
  });
}

Deno.test("readDocuments() reads a capture's line in bzip2", async () => {
  const line = {
    properties: { application_headers: { compression: "application/x-bz2" } },
    body_base64: Buffer.from(BZIP2_SAMPLE).toString("base64"),
  };
  const sample = readSamples().find(({ name }) => name === "floatingip.update.end.disassociate");
  assert.deepEqual(await told(JSON.stringify(line)), [`1 ${sample?.sample.decoded_inner_message["message_id"]}`]);
});

Deno.test("readDocuments() reads a list of all forms", async () => {
  assert.deepEqual(await told(JSON.stringify(FORMS.map(([, form]) => form), null, 2)), FORMS.map(() => "1 m"));
});

Deno.test("readDocuments() reads JSON Lines of all forms", async () => {
  const lines = FORMS.map(([, form]) => JSON.stringify(form));
  assert.deepEqual(await told(lines.join("\n")), FORMS.map((_, index) => `${index + 1} m`));
});

Deno.test("readDocuments() reads JSON Lines with empty lines, CRLF and a byte order mark", async () => {
  assert.deepEqual(await told(`\ufeff${MESSAGE_TEXT}\r\n\r\n${MESSAGE_TEXT}\r\n  \r\n`), ["1 m", "3 m"]);
});

Deno.test("readDocuments() reads a document after a byte order mark", async () => {
  assert.deepEqual(await told(`\ufeff${MESSAGE_TEXT}`), ["1 m"]);
});

Deno.test("readDocuments() names the way out for samples of Nova's documentation", async () => {
  const reference = {
    event_type: "instance.create.end",
    payload: { $ref: "common_payloads/InstanceCreatePayload.json#" },
  };
  const [found, ...others] = await told(JSON.stringify(reference));
  assert.deepEqual(others, []);
  assert.match(found ?? "", /^1 its payload is a reference \("\$ref"\).*"oss-watcher record FILE"$/);
  const { message_id: _, ...built } = MESSAGE;
  assert.match((await told(JSON.stringify(built)))[0] ?? "", /^1 no message_id, .* Add "message_id": "1"/);
});

Deno.test("readDocuments() refuses one broken line among good ones, and says which", async () => {
  assert.deepEqual(await told(`${MESSAGE_TEXT}\n${MESSAGE_TEXT.slice(0, 30)}\n${MESSAGE_TEXT}\n`), [
    "1 m",
    "2 JSON that is cut off",
    "3 m",
  ]);
  assert.deepEqual(await told(`${MESSAGE_TEXT}\n}garbage{\n${MESSAGE_TEXT}\n`), ["1 m", "2 not JSON", "3 m"]);
});

Deno.test("readDocuments() refuses a broken first line, and reads the others", async () => {
  assert.deepEqual(await told(`garbage\n${MESSAGE_TEXT}\n`), ["1 not JSON", "2 m"]);
});

Deno.test("readDocuments() refuses a last line that is cut off", async () => {
  const lines = `${MESSAGE_TEXT}\n${MESSAGE_TEXT}`;
  for (let cut = MESSAGE_TEXT.length + 2; cut < lines.length; cut++) {
    assert.deepEqual(await told(lines.slice(0, cut)), ["1 m", "2 JSON that is cut off"], lines.slice(0, cut));
  }
});

Deno.test("readDocuments() refuses lines that are JSON but no notification", async () => {
  const none = "no notification: neither event_type, oslo.message, body nor wire_body is there";
  assert.deepEqual(await told(`${MESSAGE_TEXT}\n7\nnull\n[]\n{}\n"x"\n{"body":7}\n`), [
    "1 m",
    "2 not a JSON object",
    "3 not a JSON object",
    "4 not a JSON object",
    `5 ${none}`,
    "6 not a JSON object",
    `7 ${none}`,
  ]);
});

Deno.test("readDocuments() refuses a pretty document that is cut off as one, wherever it is cut", async () => {
  const path = new URL("../../samples/compute.instance.create.end.json", import.meta.url);
  const pretty = Deno.readTextFileSync(path).trimEnd();
  for (let length = 1; length < pretty.length; length += 7) {
    const documents = await readDocuments(encode(pretty.slice(0, length)));
    assert.deepEqual(
      documents.map(({ decoded }) => decoded),
      [{ refused: "JSON that is cut off" }],
      `${length} characters`,
    );
  }
});

Deno.test("readDocuments() refuses a pretty document that is broken in the middle as one, and says where", async () => {
  const pretty = JSON.stringify({ ...MESSAGE, payload: { list: [null, {}, [], 7], meta: {} } }, null, 1);
  const broken = pretty.replace('"meta": {}', '"meta" {}');
  assert.equal(broken.split("\n").findIndex((line) => line.includes("meta")), 10);
  assert.deepEqual(await told(broken), ["11 not JSON"]);
});

Deno.test("readDocuments() refuses what is broken without quoting it", async () => {
  for (const text of ["SECRET", '{"a":SECRET}', '{"body":"SECRET"}', '{"event_type":"SECRET"}', '{"SECRET":1}']) {
    const [document] = await readDocuments(encode(text));
    assert.ok(document !== undefined && "refused" in document.decoded && !document.decoded.refused.includes("SECRET"));
  }
});

const REFUSED = [
  ["an empty file", "", "1 empty"],
  ["blanks", " \n\n", "1 empty"],
  ["a byte order mark alone", "\ufeff", "1 empty"],
  ["an empty list", "[]", "1 an empty list"],
  ["a number", "7", "1 not a JSON object"],
  ["null", "null", "1 not a JSON object"],
  ["a list in a list", "[[]]", "1 not a JSON object"],
  ["prose", "Dear all,\nplease find attached\n", "1 not JSON"],
  ["a bracket alone", "{", "1 JSON that is cut off"],
  ["a bracket on a line", "{\n", "2 JSON that is cut off"],
  ["XML", "<a>\n<b/>\n</a>", "1 not JSON"],
] as const;

for (const [what, text, want] of REFUSED) {
  Deno.test(`readDocuments() refuses ${what}`, async () => assert.deepEqual(await told(text), [want]));
}

Deno.test("readDocuments() refuses binary files", async () => {
  for (
    const bytes of [Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a]), deflateSync(MESSAGE_TEXT), BZIP2_SAMPLE]
  ) {
    assert.deepEqual(await readDocuments(bytes), [{ line: 1, decoded: { refused: "not text (UTF-8)" } }]);
  }
});

Deno.test("readDocuments() reads all captures", async () => {
  for (
    const [name, lines] of [["unversioned.jsonl", 1018], ["versioned.jsonl", 683], [
      "v1-no-envelope.jsonl",
      525,
    ]] as const
  ) {
    const text = readCapture(name).map((line) => JSON.stringify(line)).join("\n");
    const documents = await readDocuments(encode(text));
    assert.equal(documents.length, lines);
    assert.ok(documents.every(({ decoded, line }, index) => "notification" in decoded && line === index + 1));
  }
});

Deno.test("readDocuments() reads each of the 178 samples", async () => {
  const samples = readSamples();
  assert.equal(samples.length, 178);
  for (const { name, sample } of samples) {
    assert.deepEqual(
      await told(JSON.stringify(sample, null, 2)),
      [`1 ${sample.decoded_inner_message["message_id"]}`],
      name,
    );
  }
});

Deno.test("readDocuments() reads each of samples/*.json", async () => {
  const folder = new URL("../../samples/", import.meta.url);
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => name.endsWith(".json"));
  assert.ok(names.length >= 8);
  for (const name of names) {
    const [document, ...others] = await readDocuments(Deno.readFileSync(new URL(name, folder)));
    assert.equal(others.length, 0);
    assert.ok(document !== undefined && "notification" in document.decoded, name);
    assert.ok(name.startsWith(document.decoded.notification.eventType), name);
  }
});

Deno.test("readDocuments() reads the 24 messages of samples/life.jsonl", async () => {
  const documents = await readDocuments(Deno.readFileSync(new URL("../../samples/life.jsonl", import.meta.url)));
  assert.equal(documents.length, 24);
  assert.ok(documents.every(({ decoded }) => "notification" in decoded));
});

Deno.test("documentsFrom() reads a line before the next one has come", async () => {
  let asked = 0;
  async function* endless() {
    while (++asked) yield encode(`${MESSAGE_TEXT}\n`);
  }
  for await (const { line } of documentsFrom(endless())) if (line === 3) break;
  assert.ok(asked <= 4);
});

Deno.test("documentsFrom() refuses a line that is no text, and reads the others", async () => {
  const bytes = new Uint8Array([...encode(`${MESSAGE_TEXT}\n`), 0xff, 0x0a, ...encode(MESSAGE_TEXT)]);
  const documents = await Array.fromAsync(documentsFrom(piecesOf(bytes, 7)));
  assert.deepEqual(documents.map(textOf), ["1 m", "2 not text (UTF-8)", "3 m"]);
});

/** What both readers make of a text, whatever the pieces in which it comes. */
async function told(text: string): Promise<string[]> {
  const bytes = encode(text);
  const all = (await readDocuments(bytes)).map(textOf);
  for (const size of [1, 7, 4096]) {
    assert.deepEqual((await Array.fromAsync(documentsFrom(piecesOf(bytes, size)))).map(textOf), all);
  }
  return all;
}

function textOf({ line, decoded }: Document): string {
  return `${line} ${"refused" in decoded ? decoded.refused : decoded.notification.messageId}`;
}

/** The same memory for each piece, as a reader of files may use it. */
async function* piecesOf(bytes: Uint8Array, size: number) {
  const piece = new Uint8Array(size);
  for (let start = 0; start < bytes.length; start += size) {
    const part = bytes.subarray(start, start + size);
    piece.set(part);
    yield piece.subarray(0, part.length);
  }
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
