import { isText } from "./option_values.ts";

/** What config.ts may say of TLS to a server. */
interface GivenTls {
  readonly certFile?: string;
  readonly keyFile?: string;
}

/** Tells `true`, `false` and an object with these files and names, certificate and key together. */
export function isTlsOption(texts: readonly string[], flags: readonly string[] = []): (value: unknown) => boolean {
  return (value) => {
    if (typeof value === "boolean") return true;
    if (typeof value !== "object" || value === null) return false;
    const given = Object.entries(value).filter(([, setting]) => setting !== undefined);
    const { certFile, keyFile } = value as GivenTls;
    return (certFile === undefined) === (keyFile === undefined) &&
      given.every(([key, setting]) =>
        texts.includes(key) && isText(setting) || flags.includes(key) && typeof setting === "boolean"
      );
  };
}
