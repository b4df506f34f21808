import { PermanentError } from "../mod.ts";
import { printable } from "../src/kit/mod.ts";

/** The error of a name that others have. */
export function takenBy(name: string, who: string): PermanentError {
  return new PermanentError(
    `Cannot write "${printable(name, 80)}": it belongs to ${who}; remove it there, then replay`,
  );
}

/** The error of a name that no zone may have. */
export function inNoZone(name: string): PermanentError {
  return new PermanentError(`${cannotWrite(name)}: it is in no zone; rename the server, or set zones or hostName`);
}

/** The error of a zone's own name. */
export function isZonesOwn(name: string): PermanentError {
  return new PermanentError(`${cannotWrite(name)}: it is the zone's own name; rename the server`);
}

function cannotWrite(name: string): string {
  return `Cannot write records of "${printable(name, 80)}"`;
}
