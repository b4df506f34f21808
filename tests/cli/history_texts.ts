/** A history of JSON Lines: a server of each name is deleted, of which nothing else is known. */
export function deletions(names: readonly string[]): string {
  return names.map((name, index) =>
    JSON.stringify({
      message_id: `m${index}`,
      event_type: "compute.instance.delete.end",
      timestamp: `2026-11-21 19:13:${String(10 + index)}.000000`,
      payload: { instance_id: `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`, hostname: name },
    })
  ).join("\n");
}
