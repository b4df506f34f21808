import type { DeliveredEvent, Detail, ListedResource, NotifyContext, Plugin, UpdateContext } from "../mod.ts";
import {
  givenOptions,
  LdapTarget,
  type LdapTargetOptions,
  optionProblems,
  refuseProblems,
} from "../src/kit/targets.ts";
import type { LdapDelivery } from "./ldap_delivery.ts";
import { LDAP_RULES, type LdapDirectoryOptions } from "./ldap_options.ts";
import { otherOptions } from "./other_options.ts";

/**
 * Keeps an entry for each server in an LDAP directory, from its creation to its deletion, with its
 * floating IPs. Entries are found by the server's UUID and our mark, whatever their DN; other
 * entries are never changed. Every event may come twice. A floating IP that is associated before
 * the server's creation is written together with the server; one after its deletion is ignored. So
 * `events` must list servers and floating IPs.
 *
 * @example
 * ```ts
 * import { LdapDirectory, type LdapDirectoryOptions } from "oss-watcher/plugins";
 * import assert from "node:assert/strict";
 *
 * const options: LdapDirectoryOptions = {
 *   url: ["ldaps://ldap1.example.com", "ldaps://ldap2.example.com"],
 *   bindDn: "cn=oss-watcher,dc=example,dc=com",
 *   password: "s3cret",
 *   baseDn: "ou=servers,dc=example,dc=com",
 *   attributes: { ou: (detail) => detail.ProjectName },
 * };
 *
 * assert.equal(new LdapDirectory(options).name, "LdapDirectory");
 * assert.throws(() => new LdapDirectory({ ...options, url: "ldap.example.com" }), /url: must be ldaps:/);
 * ```
 */
export class LdapDirectory implements Plugin {
  readonly name: string;
  readonly #options: LdapDirectoryOptions & { readonly name: string };
  #delivery: Promise<LdapDelivery> | undefined;

  /**
   * Does no I/O.
   *
   * @throws {TypeError} naming every option that is wrong.
   */
  constructor(options: LdapDirectoryOptions) {
    const { name = "LdapDirectory" } = givenOptions("LdapDirectory", options);
    const server = otherOptions(options, LDAP_RULES) as unknown as LdapTargetOptions;
    refuseProblems("Cannot make LdapDirectory", [
      ...optionProblems(options, LDAP_RULES),
      ...LdapTarget.problems(server),
    ]);
    this.name = name;
    this.#options = { ...options, name };
  }

  /**
   * Adds, changes or removes the entry of the event's server.
   *
   * @throws {PermanentError} when the schema or another's entry prevents it, or a function of
   * config.ts fails.
   * @throws {DeliveryError} when the directory cannot be reached or refuses at present.
   */
  async notify(detail: Detail, created: boolean, context: NotifyContext): Promise<void> {
    await (await this.#loaded()).notify(detail, created, context);
  }

  /**
   * Changes the entry of a server, and renames or moves it if its name or place has changed. Keeps
   * its floating IPs and attributes that are not ours. Adds the entry if it is missing.
   *
   * @throws {PermanentError} as {@linkcode LdapDirectory.notify}, also when the new name is taken.
   * @throws {DeliveryError} likewise.
   */
  async update(detail: Detail, context: UpdateContext): Promise<void> {
    await (await this.#loaded()).update(detail, context);
  }

  /** What {@linkcode LdapDirectory.notify} would send, as LDIF (RFC 2849). */
  async preview(detail: Detail, created: boolean, context: NotifyContext): Promise<string> {
    return (await this.#loaded()).preview(detail, created, context);
  }

  /**
   * What {@linkcode LdapDirectory.update} would send, as LDIF, to an entry that is as the last
   * delivery left it.
   */
  async previewUpdate(detail: Detail, context: UpdateContext): Promise<string> {
    return (await this.#loaded()).previewUpdate(detail, context);
  }

  /**
   * Rejects when the bind fails, `baseDn` is missing, or the schema lacks a class or an attribute.
   */
  async check(signal: AbortSignal): Promise<void> {
    await (await this.#loaded()).check(signal);
  }

  /**
   * Lists our entries, by the server's UUID. A server's floating IPs are part of its entry.
   *
   * @throws {DeliveryError} when the directory cannot be read whole.
   */
  async *list(signal: AbortSignal): AsyncGenerator<ListedResource, void> {
    yield* (await this.#loaded()).list(signal);
  }

  /** What {@linkcode LdapDirectory.list} must report of a server after these deliveries. */
  async expected(delivered: readonly DeliveredEvent[]): Promise<ListedResource[]> {
    return await (await this.#loaded()).expected(delivered);
  }

  /** Closes the connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#delivery?.catch(() => undefined))?.[Symbol.asyncDispose]();
  }

  /** Loaded at first use: every config.ts imports this file, and few name a directory. */
  #loaded(): Promise<LdapDelivery> {
    this.#delivery ??= import("./ldap_delivery.ts").then(({ LdapDelivery }) => new LdapDelivery(this.#options));
    return this.#delivery;
  }
}
