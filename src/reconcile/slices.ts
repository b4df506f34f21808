/** Resources that are asked for, and judged, at once: judging blocks the event loop. */
const SLICE = 100;

export function slices<One>(all: readonly One[]): readonly (readonly One[])[] {
  return Array.from(
    { length: Math.ceil(all.length / SLICE) },
    (_, index) => all.slice(index * SLICE, (index + 1) * SLICE),
  );
}
