/**
 * The newest microversion of Nova that is supported here. Servers have a description from 2.19 on,
 * the flavor's sizes from 2.47 on, and a hostname visible to every account from 2.90 on.
 */
const NEWEST_KNOWN = 93;

/** The microversions to try in turn when the service does not list its range. */
const STEPS = [93, 47, 19];

/** The microversion to request, given the newest that the service offers; `null` for none. */
export function bestMicroversion(newest: string | null): string | null {
  return formatted(Math.min(minorOf(newest) ?? 0, NEWEST_KNOWN));
}

/**
 * The microversion to try after 406 Not Acceptable: the maximum that the service names, or the next
 * lower step; `null` for none.
 */
export function lowerMicroversion(refused: string, errorMessage: string): string | null {
  const below = minorOf(refused) ?? 0;
  const maximum = minorOf(/maximum is (2\.\d+)/.exec(errorMessage)?.[1] ?? null);
  if (maximum !== null && maximum < below) return formatted(maximum);
  return formatted(STEPS.find((step) => step < below) ?? 0);
}

/** Both header names are sent: before microversion 2.27 Nova knows only the older one. */
export function microversionHeaders(microversion: string | null): Readonly<Record<string, string>> {
  if (microversion === null) return {};
  return { "OpenStack-API-Version": `compute ${microversion}`, "X-OpenStack-Nova-API-Version": microversion };
}

function minorOf(version: string | null): number | null {
  const minor = /^2\.(\d{1,4})$/.exec(version ?? "")?.[1];
  return minor === undefined ? null : Number(minor);
}

/** `null` for 2.1, which is Nova's default without a header. */
function formatted(minor: number): string | null {
  return minor > 1 ? `2.${minor}` : null;
}
