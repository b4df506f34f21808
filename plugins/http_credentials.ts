/** Options of `HttpTarget` that a plugin with credentials of its own does not have. */
const OTHERS = ["user", "password", "bearer", "maxAnswerBytes"];

/** Refuses these options: `option: unknown option` each. */
export function otherCredentialProblems(options: object): string[] {
  return OTHERS.filter((name) => Object.hasOwn(options, name)).map((name) => `${name}: unknown option`);
}

/** The options without these. */
export function withoutOtherCredentials(options: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(options).filter(([name]) => !OTHERS.includes(name)));
}
