import type { Clock } from "../model/clock.ts";

/** The system's clocks and timers. */
export const systemClock: Clock = {
  now: () => Date.now(),
  passedMs: () => performance.now(),
  sleep: (delayMs, signal) =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const wake = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      const timer = setTimeout(wake, delayMs);
      signal.addEventListener("abort", wake, { once: true });
    }),
};
