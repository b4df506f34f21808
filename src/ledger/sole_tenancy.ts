import type { Tenancy, Tenure } from "../model/tenancy.ts";

/** Where one process does all the work: it is ours from the first to the last moment. */
export const SOLE_TENANCY: Tenancy = {
  async hold(_name: string, work: (tenure: Tenure) => Promise<void>, signal: AbortSignal): Promise<void> {
    await work({ ending: signal, lost: new AbortController().signal, isValid: () => true });
  },
  isShared: false,
  held: () => [],
};
