/**
 * The newest microversion of Nova whose answers are known here. From 2.19 a server has its description, from 2.47 its flavor's numbers, from
 * 2.90 its hostname for everybody.
 */
const NEWEST_KNOWN = 93;

/** What is tried when the service does not say what it has. */
const STEPS = [93, 47, 19];

/** The microversion to ask for, given the newest that the service offers; `null`: none. */
export function bestMicroversion(newest: string | null): string | null {
  return formatted(Math.min(minorOf(newest) ?? 0, NEWEST_KNOWN));
}

/** A lower one, after 406 Not Acceptable: what the service names as its maximum, else the next step down; `null`: none. */
export function lowerMicroversion(refused: string, errorMessage: string): string | null {
  const below = minorOf(refused) ?? 0;
  const maximum = minorOf(/maximum is (2\.\d+)/.exec(errorMessage)?.[1] ?? null);
  if (maximum !== null && maximum < below) return formatted(maximum);
  return formatted(STEPS.find((step) => step < below) ?? 0);
}

/** Both names: the old one is the only one that Nova knows before 2.27. */
export function microversionHeaders(microversion: string | null): Readonly<Record<string, string>> {
  if (microversion === null) return {};
  return { "OpenStack-API-Version": `compute ${microversion}`, "X-OpenStack-Nova-API-Version": microversion };
}

function minorOf(version: string | null): number | null {
  const minor = /^2\.(\d{1,4})$/.exec(version ?? "")?.[1];
  return minor === undefined ? null : Number(minor);
}

/** 2.1 is what there is without asking. */
function formatted(minor: number): string | null {
  return minor > 1 ? `2.${minor}` : null;
}
