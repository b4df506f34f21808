import { python3 } from "../wire/python.ts";

/** A test of a report in JUnit's form. */
export interface ReadCase {
  readonly classname: string;
  readonly name: string;
  readonly problem: { readonly kind: string; readonly message: string; readonly text: string } | null;
}

const SCRIPT = `
import json, sys
import xml.etree.ElementTree as xml
root = xml.parse(json.load(sys.stdin)).getroot()
assert root.tag == "testsuites", root.tag
cases = []
for suite in root:
    assert int(suite.get("tests")) == len(suite), suite.attrib
    assert int(suite.get("failures")) == len(suite.findall("*/failure")), suite.attrib
    assert int(suite.get("errors")) == len(suite.findall("*/error")), suite.attrib
    for case in suite:
        float(case.get("time"))
        problem = next(iter(case), None)
        cases.append({"classname": case.get("classname"), "name": case.get("name"), "problem": None if problem is None else
            {"kind": problem.tag, "message": problem.get("message"), "text": problem.text}})
print(json.dumps(cases))
`;

/** The tests of a report, as expat reads it. */
export async function casesOf(file: string): Promise<readonly ReadCase[]> {
  return await python3(SCRIPT, file) as readonly ReadCase[];
}
