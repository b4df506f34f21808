import type { Json } from "../../model/notification.ts";
import { givenSecrets, withoutSecrets } from "./redact.ts";

/** JSON in which the values that config.ts got by `env()`, `file()` and the like are hidden, in texts and in keys. */
export function withoutGivenSecrets(value: Json): Json {
  const secrets = givenSecrets();
  return secrets.length === 0 ? value : hidden(value, secrets);
}

function hidden(value: Json, secrets: readonly string[]): Json {
  if (typeof value === "string") return withoutSecrets(value, secrets);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => hidden(item, secrets));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [withoutSecrets(key, secrets), hidden(item, secrets)]),
  );
}
