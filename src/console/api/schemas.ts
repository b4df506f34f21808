import type * as api from "../api.ts";
import { ACTION_SCHEMAS } from "./action_schemas.ts";
import { objectOf, type Schema, TEXT } from "./api_schema.ts";
import { EVENT_SCHEMAS } from "./event_schemas.ts";
import { OVERVIEW_SCHEMAS } from "./overview_schemas.ts";

/** The schemas of the document, by their names in it. */
export const SCHEMAS = {
  ErrorAnswer: objectOf<api.ErrorAnswer>({ error: TEXT }),
  ...OVERVIEW_SCHEMAS,
  ...EVENT_SCHEMAS,
  ...ACTION_SCHEMAS,
} as const satisfies Readonly<Record<string, Schema>>;

export type SchemaName = keyof typeof SCHEMAS;
