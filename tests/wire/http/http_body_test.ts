import assert from "node:assert/strict";
import { encodeBody } from "../../../src/wire/http/http_body.ts";
import { HOSTILE_TEXTS, sampleEvent } from "../../../src/testing/mod.ts";
import { python3 } from "../python.ts";

const PARSE = `
import json, sys, xml.etree.ElementTree as tree
def details(text):
    (parameters,) = tree.fromstring(text.encode("utf-8"))
    (parameter,) = parameters
    (string,) = parameter
    return [parameter.get("name"), parameter.get("type"), string.tag, string.text]
print(json.dumps([details(text) for text in json.load(sys.stdin)]))
`;

Deno.test("encodeBody() makes an execution context from which a parser reads the very detail, whatever is in it", async () => {
  const details = Object.values(HOSTILE_TEXTS).map((text) =>
    sampleEvent({ detail: { FQDN: text, Metadata: { [`${text} `]: text } } }).detail
  );
  const bodies = details.map((detail) => encodeBody({ detail, created: true }, "vco-xml").text);

  const read = await python3(PARSE, bodies) as string[][];

  for (const [index, [name, type, tag, json]] of read.entries()) {
    assert.deepEqual([name, type, tag], ["nodeDetails", "string", "{http://www.vmware.com/vco}string"]);
    assert.deepEqual(JSON.parse(json ?? ""), details[index]);
  }
});

Deno.test("encodeBody() fails for good when no body can be made of what the function does", () => {
  const { detail } = sampleEvent();
  const self: Record<string, unknown> = {};
  self["self"] = self;
  const makers: readonly (() => unknown)[] = [
    () => 7,
    () => null,
    () => self,
    () => ({ toJSON: () => undefined }),
    () => ({ then: 1, type: "a/b", text: "x" }),
    () => {
      throw new RangeError("mine");
    },
  ];
  for (const make of makers) {
    assert.throws(() => encodeBody({ detail, created: true, plugin: "Mine" }, make as () => object), {
      name: "PermanentError",
      message: /^Cannot make body of Mine: its function in config\.ts (?:returned|threw)/,
    });
  }
});
