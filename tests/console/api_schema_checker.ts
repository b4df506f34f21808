/**
 * Holds answers against the OpenAPI document that the console serves.
 *
 * @module
 */

import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import assert from "node:assert/strict";

interface Operation {
  readonly operationId: string;
  readonly responses: Readonly<
    Record<string, { readonly content: Readonly<Record<string, { readonly schema: { readonly $ref: string } }>> }>
  >;
}

interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

export class ApiChecker {
  /** `GET /overview` and the like that were not held against anything yet. */
  readonly unchecked: Set<string>;
  readonly #ajv = new Ajv2020({ strict: true, strictTypes: false, allErrors: true });
  readonly #document: Document;

  constructor(document: unknown) {
    this.#document = document as Document;
    assert.equal(this.#document.openapi, "3.1.0");
    for (const [name, schema] of Object.entries(this.#document.components.schemas)) {
      this.#ajv.addSchema(schema, `#/components/schemas/${name}`);
    }
    this.unchecked = new Set(
      Object.entries(this.#document.paths).flatMap(([path, operations]) =>
        Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`)
      ),
    );
  }

  /** @throws {AssertionError} when an answer of this status is not what the document says. */
  check(operation: string, { status, body }: { readonly status: number; readonly body: unknown }): void {
    const [method = "", path = ""] = operation.split(" ");
    const found = this.#document.paths[path]?.[method.toLowerCase()];
    assert.ok(found, `${operation} is not in the document`);
    const name = status === 200
      ? found.responses["200"]!.content["application/json"]!.schema.$ref
      : "#/components/schemas/ErrorAnswer";
    this.checkSchema(name, { body, what: `${operation} (${status})` });
    if (status === 200) this.unchecked.delete(operation);
  }

  checkSchema(ref: string, { body, what }: { readonly body: unknown; readonly what: string }): void {
    const validate = this.#ajv.getSchema(ref) as ValidateFunction | undefined;
    assert.ok(validate, `${ref} is missing`);
    assert.ok(
      validate(body),
      `${what}: ${this.#ajv.errorsText(validate.errors)}\n${JSON.stringify(body)?.slice(0, 2000)}`,
    );
  }
}
