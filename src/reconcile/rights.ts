import type { CloudScope } from "../model/comparison.ts";
import type { SeenPage } from "./cloud_view.ts";

/** The scope's fields that differ, as `region "RegionOne" → "RegionTwo"`; empty: it is the same. */
export function scopeChanges(before: CloudScope, now: CloudScope): readonly string[] {
  const names = new Set([...Object.keys(before.fields), ...Object.keys(now.fields)]);
  return [...names].toSorted().flatMap((name) => {
    const [old, current] = [before.fields[name], now.fields[name]];
    return old === current ? [] : [`${name} "${old ?? ""}" → "${current ?? ""}"`];
  });
}

/**
 * Whether listings are of the cloud that memory is about, although the scope has changed: nearly all
 * that is remembered is there. `missing`: what is not, and would be concluded to be gone. What is
 * listed and not remembered says nothing: another cloud has much of that.
 */
export function isSameCloud({ seen, missing }: { readonly seen: number; readonly missing: number }): boolean {
  return seen >= (seen + missing) * SAME_CLOUD_SHARE;
}

const SAME_CLOUD_SHARE = 0.9;

/** What one service has shown of other projects: whether an absence proves anything. */
export class Visibility {
  readonly #scope: CloudScope;
  #isRestricted = false;
  #listsAllProjects = false;
  /** Ids of listed resources of other projects. */
  readonly #controls: string[] = [];
  readonly #ownWitnesses: string[] = [];

  constructor(scope: CloudScope) {
    this.#scope = scope;
  }

  /** Notes a page of a listing. */
  note(page: SeenPage): void {
    if (page.allProjects === false) this.#isRestricted = true;
    if (page.allProjects === true) this.#listsAllProjects = true;
    // A network's owner sees the ports of all projects on it, and little else of theirs.
    if (page.listing === "ports" && !this.#scope.isAdmin) return;
    for (const record of page.records) {
      if (record.projectId === null || ("status" in record && record.status === "DELETED")) continue;
      const witnesses = record.projectId === this.#scope.projectId ? this.#ownWitnesses : this.#controls;
      if (witnesses.length < MAX_WITNESSES) witnesses.push(record.id);
    }
  }

  /**
   * Listed resources, which must be found by their ids, too. Of other projects: an account that may
   * list them and not see them gets the same answer as for a resource that is gone. Of the own
   * project: they tell that this is the same cloud still.
   */
  get witnesses(): readonly string[] {
    return [...this.#controls, ...this.#ownWitnesses];
  }

  /**
   * Whether the resources of all projects are visible. A role alone proves nothing: policies decide
   * what it may see. Nor does a listing of all projects alone: it lacks soft-deleted servers, and
   * may lack those of a cell that is down, which an account that is no administrator then does not
   * see by their ids either.
   */
  get isComplete(): boolean {
    return !this.#isRestricted && (this.#controls.length > 0 || this.isProvenByListing);
  }

  /** Whether an administrator's listing of all projects is the only proof, since it has nothing of theirs. */
  get isProvenByListing(): boolean {
    return this.#controls.length === 0 && !this.#isRestricted && this.#listsAllProjects && this.#scope.isAdmin;
  }

  /**
   * Whether the absence of a resource proves that it is gone: it belongs to the account's own
   * project, or all projects are visible.
   */
  proves(projectId: string | null): boolean {
    return this.isComplete || (projectId !== null && projectId === this.#scope.projectId);
  }
}

const MAX_WITNESSES = 3;
