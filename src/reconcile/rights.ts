import type { CloudScope } from "../model/comparison.ts";

/** The scope's fields that differ, as `region "RegionOne" → "RegionTwo"`; empty: it is the same. */
export function scopeChanges(before: CloudScope, now: CloudScope): readonly string[] {
  const names = new Set([...Object.keys(before.fields), ...Object.keys(now.fields)]);
  return [...names].toSorted().flatMap((name) => {
    const [old, current] = [before.fields[name], now.fields[name]];
    return old === current ? [] : [`${name} "${old ?? ""}" → "${current ?? ""}"`];
  });
}

/**
 * Whether a listing is of the cloud that memory is about, although the scope has changed: nearly
 * all that is remembered is there. Where nothing is remembered, nothing can be deleted by mistake.
 */
export function isSameCloud({ remembered, seen }: { readonly remembered: number; readonly seen: number }): boolean {
  return seen >= remembered * SAME_CLOUD_SHARE;
}

const SAME_CLOUD_SHARE = 0.9;

/** What one service has shown of other projects: whether an absence proves anything. */
export class Visibility {
  readonly #scope: CloudScope;
  #isRestricted = false;
  /** Listed resources of other projects, by id. Asked for again, they must still be there. */
  readonly #controls: string[] = [];

  constructor(scope: CloudScope) {
    this.#scope = scope;
  }

  /** Notes a page of a listing. */
  note({ allProjects, records }: {
    readonly allProjects: boolean | null;
    readonly records: readonly { readonly id: string; readonly projectId: string | null }[];
  }): void {
    if (allProjects === false) this.#isRestricted = true;
    for (const { id, projectId } of records) {
      if (this.#controls.length < MAX_CONTROLS && this.#isOfOther(projectId)) this.#controls.push(id);
    }
  }

  /**
   * Resources of other projects. At least one of them must be found by its id: an account that may
   * list them and not see them gets the same answer as for a resource that is gone.
   */
  get controls(): readonly string[] {
    return this.#controls;
  }

  /** Whether the resources of all projects are visible. */
  get isComplete(): boolean {
    if (this.#isRestricted) return false;
    return this.#controls.length > 0 || this.#scope.isAdmin;
  }

  /**
   * Whether the absence of a resource proves that it is gone: it belongs to the account's own
   * project, or all projects are visible.
   */
  proves(projectId: string | null): boolean {
    return this.isComplete || (projectId !== null && projectId === this.#scope.projectId);
  }

  #isOfOther(projectId: string | null): boolean {
    return projectId !== null && projectId !== this.#scope.projectId;
  }
}

const MAX_CONTROLS = 3;
