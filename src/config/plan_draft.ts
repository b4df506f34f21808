import type { IniEntry } from "./ini.ts";
import { IniOptions, IniReferenceError, type IniValue } from "./ini_options.ts";
import type { PlanValue } from "./plan.ts";

/** A plan under construction: sections and keys, with findings and comments. */
export class PlanDraft {
  readonly sections: Record<string, Record<string, PlanValue>> = {};
  readonly places = new Map<string, string>();
  readonly remarks = new Map<string, string>();
  readonly mistakes: string[] = [];
  readonly warnings: string[] = [];
  readonly options: IniOptions;

  constructor(entries: readonly IniEntry[]) {
    this.options = new IniOptions(entries);
  }

  set([section, key]: readonly [string, string], value: PlanValue, place: string): void {
    (this.sections[section] ??= {})[key] = value;
    this.places.set(`${section}.${key}`, place);
  }

  /** The value of an option; a dangling reference is recorded as a mistake. */
  find(section: string, key: string): IniValue | undefined {
    return this.#told(() => this.options.find(section, key));
  }

  /** All values of an option that may be repeated. */
  findAll(section: string, key: string): readonly IniValue[] {
    return this.#told(() => this.options.findAll(section, key)) ?? [];
  }

  #told<Found>(find: () => Found): Found | undefined {
    try {
      return find();
    } catch (error) {
      if (!(error instanceof IniReferenceError)) throw error;
      this.mistakes.push(error.message);
      return undefined;
    }
  }
}
