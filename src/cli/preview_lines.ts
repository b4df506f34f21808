import type { Json } from "../model/notification.ts";

/**
 * A plugin's preview as lines, not escaped: a request as HTTP writes it, a text as it is, else JSON.
 *
 * @param options `pretty`: JSON over many lines, for a diff. @default as it would be sent
 */
export function previewLines(preview: Json, { pretty = false }: { readonly pretty?: boolean } = {}): string[] {
  if (typeof preview === "string") return preview.split("\n");
  if (!isRequest(preview)) return jsonLines(preview, pretty);
  const { method, url, headers, body } = preview;
  const sent = body === undefined || body === null ? [] : bodyLines(body, pretty);
  return [
    `${method} ${url}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...(sent.length > 0 ? ["", ...sent] : []),
  ];
}

interface Request {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Json;
}

function isRequest(preview: Json): preview is Json & Request {
  return typeof preview === "object" && preview !== null && "method" in preview && "url" in preview &&
    "headers" in preview && typeof preview["headers"] === "object" && preview["headers"] !== null;
}

function bodyLines(body: Json, pretty: boolean): string[] {
  if (typeof body !== "string") return jsonLines(body, pretty);
  return pretty && /^[[{]/.test(body) ? prettyText(body) : body.split("\n");
}

function prettyText(body: string): string[] {
  try {
    return jsonLines(JSON.parse(body), true);
  } catch {
    return body.split("\n");
  }
}

function jsonLines(value: Json, pretty: boolean): string[] {
  return JSON.stringify(value, null, pretty ? 2 : 0).split("\n");
}
