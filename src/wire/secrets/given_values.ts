/** A value that config.ts has got from elsewhere: a variable, a file, a credential, Vault. */
export interface GivenValue {
  /** What it is called there: it tells secrets from names of hosts and the like. */
  readonly name: string;
  readonly value: string;
  /** Where it is from, as `env RABBIT_PASSWORD` or `file /run/secrets/rabbit`. */
  readonly origin: string;
}

/** Per process, like the environment itself. A former value of a file stays: it may still turn up. */
const given = new Map<string, GivenValue>();

/** Remembers a value, so that it is hidden wherever it turns up. */
export function remember(one: GivenValue): void {
  given.set(`${one.origin}\0${one.value}`, one);
}

/** All that config.ts has got, in the order in which it asked. */
export function givenValues(): readonly GivenValue[] {
  return [...given.values()];
}
