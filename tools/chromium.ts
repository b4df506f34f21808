import type { Requirement } from "./packages.ts";

/** The browser in which the console is tested. */
export const CHROMIUM: Requirement = { program: "chromium", package: "chromium" };
