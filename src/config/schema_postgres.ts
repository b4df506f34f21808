import * as v from "valibot";
import type { PostgresOptions } from "../model/config.ts";
import { POSTGRES_URL_TEXT, type PostgresUrl, readPostgresUrl, SCHEMA_NAME } from "../model/postgres_address.ts";
import { type Fields, type Finding, inJsonSchema, type SchemasOf, strict, text, wholeNumber } from "./parts.ts";
import { PAIR_OF_FILES } from "./rules.ts";

/** `ledger.postgres`. */
export const postgres = strict(
  {
    url: v.pipe(v.string(POSTGRES_URL_TEXT), inJsonSchema({ pattern: "^postgres(?:ql)?://." })),
    schema: v.optional(text("a name of 1 to 63 small letters, digits and _, not beginning with a digit", SCHEMA_NAME)),
    leaseSeconds: v.optional(wholeNumber(2, 300)),
    caFile: v.optional(text()),
    certFile: v.optional(text()),
    keyFile: v.optional(text()),
    processName: v.optional(text("a name of 1 to 255 characters", /^\P{Cc}{1,255}$/u)),
  } satisfies SchemasOf<PostgresOptions>,
  ...PAIR_OF_FILES,
  urlFindings,
);

/** No finding shows the URL: it contains the password. */
function urlFindings(options: Fields): Finding[] {
  if (typeof options.url !== "string") return [];
  let url: PostgresUrl;
  try {
    url = readPostgresUrl(options.url);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return [{ keys: ["url"], message: error.message }];
  }
  return [...schemaFindings(options, url), ...tlsFindings(options, url)];
}

function schemaFindings({ schema }: Fields, url: PostgresUrl): Finding[] {
  if (schema === undefined || url.schema === null) return [];
  return [{ keys: ["schema"], message: "stands beside ?schema= of url; keep one" }];
}

function tlsFindings({ caFile, certFile }: Fields, { sslmode }: PostgresUrl): Finding[] {
  const beside = Object.entries({ caFile, certFile }).filter(([, value]) => value !== undefined).map(([key]) => key);
  if (sslmode === "disable" && beside.length > 0) {
    return [{
      keys: ["url"],
      message: `has sslmode=disable beside ${beside.join(", ")}; keep one: with TLS or without`,
    }];
  }
  if (sslmode === null && certFile !== undefined && caFile === undefined) {
    return [{ keys: ["certFile"], message: "needs TLS; add ?sslmode=verify-full to url, or caFile" }];
  }
  return [];
}
