import assert from "node:assert/strict";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { JSON_SCHEMAS, jsonSchemaOf } from "../../src/cli/json_schemas.ts";

const validators = new Map<string, ValidateFunction>();

/**
 * Holds what a command has printed with `--json` to the schema that `--json-schema` prints: of every
 * test that runs one. Does nothing for other runs.
 */
export function assertJsonAsDocumented(args: readonly string[], output: string): void {
  if (!args.includes("--json")) return;
  const command = commandOf(args);
  const lines = output.split("\n");
  // A run that was ended may have written a part of a line.
  lines.pop();
  for (const line of lines.filter((one) => one.startsWith("{") || one.startsWith("["))) {
    const validate = validatorOf(command);
    const value = JSON.parse(line);
    assert.ok(validate(value), `${command} --json: ${JSON.stringify(validate.errors)}\n${line.slice(0, 3000)}`);
  }
}

/** The command that the arguments name: the longest of the words in them that has a schema. */
function commandOf(args: readonly string[]): string {
  const index = args.findIndex((arg) => Object.keys(JSON_SCHEMAS).some((command) => command.split(" ")[0] === arg));
  const two = args.slice(index, index + 2).join(" ");
  return two in JSON_SCHEMAS ? two : args[index] ?? "";
}

function validatorOf(command: string): ValidateFunction {
  const known = validators.get(command);
  if (known !== undefined) return known;
  const schema = jsonSchemaOf(command) ?? assert.fail(`"${command}" has no JSON Schema`);
  const validate = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false }).compile(schema);
  validators.set(command, validate);
  return validate;
}
