/** The options that these rules do not name: those of the way to the server, and unknown ones. */
export function otherOptions(options: object, rules: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(options).filter(([name]) => !Object.hasOwn(rules, name)));
}
