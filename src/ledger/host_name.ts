/** The host's name. To ask the system for it would take another permission of Deno. */
export function hostName(): string {
  try {
    return Deno.readTextFileSync("/proc/sys/kernel/hostname").trim();
  } catch {
    return Deno.env.get("HOSTNAME") ?? Deno.env.get("COMPUTERNAME") ?? "oss-watcher";
  }
}
