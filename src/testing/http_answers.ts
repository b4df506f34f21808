import type { TargetAnswer } from "./contract.ts";
import type { HttpHarness } from "./http_harness.ts";

/**
 * The retry table in full, for the option `answers` of a contract: what every status must lead to.
 */
export const HTTP_ANSWERS: readonly TargetAnswer<HttpHarness>[] = [
  ...[301, 302, 307, 308, 403, 405, 408, 425].map((status) => row(status, { outcome: "retry" })),
  row(404, { outcome: "retry", isAbsence: true }),
  row(401, { outcome: "retry", reason: "unauthorized" }),
  row(429, { outcome: "retry", reason: "rate_limited" }),
  ...[500, 501, 502, 503, 504].map((status) => row(status, { outcome: "retry", reason: "server_error" })),
  ...[400, 409, 413, 414, 415, 422, 431].map((status) => row(status, { outcome: "permanent" })),
  row(410, { outcome: "permanent", isAbsence: true }),
  row(503, { outcome: "retry", reason: "server_error", retryAfterMs: 7000 }, { "Retry-After": "7" }),
  row(429, { outcome: "retry", reason: "rate_limited", retryAfterMs: 120_000 }, { "Retry-After": "120" }),
];

function row(
  status: number,
  expected: Omit<TargetAnswer<HttpHarness>, "name" | "prepare">,
  headers: Readonly<Record<string, string>> = {},
): TargetAnswer<HttpHarness> {
  const extra = Object.entries(headers).map(([name, value]) => ` and ${name}: ${value}`).join("");
  const location: Record<string, string> = status < 400 ? { Location: "/elsewhere" } : {};
  return {
    name: `answers ${status}${extra}`,
    prepare: (target) => target.answer(status, { ...location, ...headers }),
    ...expected,
  };
}
