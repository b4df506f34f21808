import { ref } from "./schema_parts.ts";
import { SCHEMAS } from "./schemas.ts";
import { type ApiRoute, ROUTES } from "./routes.ts";

/** The OpenAPI document of the API, made of the rows that requests are routed by. */
export function openApi(version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const [id, route] of Object.entries<ApiRoute>(ROUTES)) {
    (paths[route.path] ??= {})[route.method.toLowerCase()] = operation(id, route);
  }
  paths["/stream"] = { get: STREAM };
  return {
    openapi: "3.1.0",
    info: {
      title: "oss-watcher console",
      version,
      description:
        "What the console's page reads and does. Texts may be hostile: tenants chose them. Needs a session: see docs/CONSOLE.md.",
    },
    servers: [{ url: "/api/v1" }],
    security: [{ session: [] }],
    paths,
    components: {
      securitySchemes: {
        session: {
          type: "apiKey",
          in: "cookie",
          name: "oss-watcher-17673",
          description: "from a link of oss-watcher console",
        },
        csrf: { type: "apiKey", in: "header", name: "X-CSRF-Token", description: "`csrf` of GET /session" },
      },
      schemas: SCHEMAS,
      responses: {
        Error: {
          description: "It was refused, or failed",
          content: { "application/json": { schema: ref("ErrorAnswer") } },
        },
      },
    },
  };
}

function operation(id: string, { method, summary, role, query = {}, body, answer }: ApiRoute): object {
  return {
    operationId: id,
    summary,
    description: `For the role ${role}${role === "viewer" ? " and operator" : ""}.`,
    ...(method === "GET" ? {} : { security: [{ session: [], csrf: [] }] }),
    parameters: Object.entries(query).map(([name, parameter]) => ({
      name,
      in: parameter.in,
      required: parameter.isRequired ?? false,
      description: parameter.description,
      schema: parameter.schema,
    })),
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { "application/json": { schema: ref(body) } } } }),
    responses: {
      "200": { description: "Done", content: { "application/json": { schema: ref(answer) } } },
      default: { $ref: "#/components/responses/Error" },
    },
  };
}

const STREAM = {
  operationId: "openStream",
  summary: "Server-sent events: `overview` every two seconds, `events` when there are new ones",
  description:
    "The data of `overview` is an OverviewAnswer, that of `events` a StreamedEvents; the id of `events` is the number of their newest event.",
  parameters: [
    {
      name: "Last-Event-ID",
      in: "header",
      required: false,
      description: "the stream goes on behind this event",
      schema: { type: "string" },
    },
    {
      name: "after",
      in: "query",
      required: false,
      description: "the same, for the first connection",
      schema: { type: "integer", minimum: 0 },
    },
  ],
  responses: {
    "200": { description: "Events", content: { "text/event-stream": { schema: { type: "string" } } } },
    default: { $ref: "#/components/responses/Error" },
  },
};
