import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Bytes that are in use once all garbage is collected. */
export function heapUsed(): number {
  collect();
  return Deno.memoryUsage().heapUsed;
}
