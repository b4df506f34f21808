import { hostName } from "../ledger/host_name.ts";

/** Characters of a user's name that are kept. */
const MAX_LENGTH = 200;

/** Who runs this command: `root@controller-1 (command)`; whoever used sudo by their own name. */
export function whoRuns(): string {
  return `${userName()}@${hostName().slice(0, MAX_LENGTH)} (command)`;
}

/** Who runs this command, whoever used sudo by their own name. */
export function userName(): string {
  const user = ["SUDO_USER", "USER", "LOGNAME", "USERNAME"].map((name) => Deno.env.get(name)).find(Boolean);
  return (user ?? "unknown").slice(0, MAX_LENGTH);
}
