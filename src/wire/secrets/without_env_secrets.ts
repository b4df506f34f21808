import type { Json } from "../../model/notification.ts";
import { envSecrets, withoutSecrets } from "./redact.ts";

/** JSON in which the values that config.ts got by `env()` are hidden, in texts and in keys. */
export function withoutEnvSecrets(value: Json): Json {
  const secrets = envSecrets();
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
