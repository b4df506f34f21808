import type { Json, JsonObject } from "../model/notification.ts";
import { printable } from "../wire/escaping/printable.ts";
import { redact, withoutSecrets } from "../wire/secrets/redact.ts";
import { isObject, text } from "./read.ts";

const MAX_MESSAGE_LENGTH = 200;

/**
 * The error message in an API's answer, on one line and without secrets. Each service has its own
 * form: `{"error": {"message"}}`, `{"itemNotFound": {"message"}}`, `{"NeutronError": {"message"}}`
 * or a text, `{"message"}` with HTML in it.
 */
export function apiErrorMessage(body: JsonObject | null, secrets: readonly string[]): string {
  const message = body === null
    ? null
    : messageOf(body) ?? Object.values(body).map(messageOf).find((one) => one !== null);
  const line = (message ?? "").replace(/(?:<[^<>]{1,20}>|\s)+/g, " ").trim().replace(/\.$/, "");
  return printable(redact(withoutSecrets(line, secrets)), MAX_MESSAGE_LENGTH);
}

function messageOf(value: Json | undefined): string | null {
  return isObject(value) ? text(value["message"]) ?? text(value["NeutronError"]) : null;
}
