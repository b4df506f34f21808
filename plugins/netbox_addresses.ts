import { DeliveryError } from "../mod.ts";
import { ipAddress, printable } from "../src/kit/mod.ts";
import { ADDRESSES, type NetBoxApi, type NetBoxRow, type NetBoxValues, RefusedError } from "./netbox_api.ts";
import type { WantedAddress } from "./netbox_content.ts";
import { type Attempt, isSame } from "./netbox_machines.ts";
import type { Mark } from "./netbox_mark.ts";

/** An address, and what it is to have in NetBox. */
export interface Claim {
  readonly address: WantedAddress;
  readonly values: NetBoxValues;
}

/** How addresses are claimed for a server. */
export interface Claiming extends Attempt {
  /** The server's id. */
  readonly id: string;
  /** The server's addresses in NetBox. */
  readonly held: readonly NetBoxRow[];
  /** Whether an address that another server has goes to this one. @default false */
  readonly takesOver?: boolean;
}

const FREE = { assigned_object_type: null, assigned_object_id: null, nat_inside: null };

/** The addresses of NetBox that are ours. */
export class Addresses {
  readonly #api: NetBoxApi;
  readonly #mark: Mark;
  readonly #adopts: boolean;

  /** @param adopts Whether free addresses that people entered are taken over. */
  constructor(api: NetBoxApi, { mark, adopts }: { readonly mark: Mark; readonly adopts: boolean }) {
    this.#api = api;
    this.#mark = mark;
    this.#adopts = adopts;
  }

  /** A server's addresses, also those that were adopted for it. */
  async held(id: string, signal: AbortSignal): Promise<readonly NetBoxRow[]> {
    return this.#mark.own(await this.#api.all(ADDRESSES, this.#mark.query(id), signal), id);
  }

  /** One address of a server. */
  async find(id: string, { address }: WantedAddress, signal: AbortSignal): Promise<readonly NetBoxRow[]> {
    return this.#mark.own(await this.#api.all(ADDRESSES, { ...this.#mark.query(id), address }, signal), id);
  }

  /**
   * Makes the addresses that are missing, and changes those that are held. Gives what is there in
   * the end; what others have is left out.
   */
  async claim(claims: readonly Claim[], claiming: Claiming): Promise<readonly NetBoxRow[]> {
    const { held, signal } = claiming;
    const rows: NetBoxRow[] = [];
    const changes: (NetBoxValues & { readonly id: number })[] = [];
    let missing: Claim[] = [];
    const settle = (row: NetBoxRow, { address, values }: Claim, more: NetBoxValues = {}) => {
      const differing = Object.entries({ ...values, vrf: address.vrf, ...more }).filter(([name, value]) =>
        !isSame(row[name], value)
      );
      if (differing.length > 0) changes.push({ ...Object.fromEntries(differing), id: row.id });
      rows.push(row);
    };
    for (const claim of claims) {
      const row = held.find((one) => addressOf(one) === claim.address.address);
      if (row === undefined) missing.push(claim);
      else settle(row, claim);
    }
    if (this.#adopts) missing = await this.#settleTaken(missing, { ...claiming, settle });
    rows.push(...await this.#make(missing, { ...claiming, settle }));
    await inVrf(() => this.#api.change(ADDRESSES, changes, signal));
    return rows;
  }

  /** Removes addresses that we made, and frees those that were adopted. */
  async release(rows: readonly NetBoxRow[], signal: AbortSignal): Promise<void> {
    const adopted = rows.filter((row) => this.#mark.isAdopted(row));
    await this.#api.change(ADDRESSES, adopted.map(({ id }) => ({ id, ...FREE, ...this.#mark.none })), signal);
    await this.#api.remove(ADDRESSES, rows.filter((row) => !adopted.includes(row)).map(({ id }) => id), signal);
  }

  isAdopted(row: NetBoxRow): boolean {
    return this.#mark.isAdopted(row);
  }

  async #make(claims: readonly Claim[], claiming: Settling): Promise<readonly NetBoxRow[]> {
    if (claims.length === 0) return [];
    const { id, signal, tell } = claiming;
    const rowOf = ({ address: { withLength, vrf }, values }: Claim) => ({
      address: withLength,
      ...(vrf === null ? {} : { vrf }),
      ...values,
      ...this.#mark.of(id),
    });
    try {
      return await inVrf(() => this.#api.create(ADDRESSES, claims.map(rowOf), signal));
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      const refused = claims.filter((_claim, index) => error.refusals.has(index));
      if (refused.length === 0) throw error;
      const odd = await this.#settleTaken(refused, claiming);
      for (const { address } of odd) tell(`${address.address} is left out: ${printable(error.message, 300)}`);
      return await this.#make(claims.filter((claim) => !refused.includes(claim)), claiming);
    }
  }

  /** Settles those that NetBox has already; gives the others. */
  async #settleTaken(claims: readonly Claim[], { settle, ...claiming }: Settling): Promise<Claim[]> {
    if (claims.length === 0) return [];
    const { id, signal, tell, takesOver = false } = claiming;
    const found = await this.#api.all(ADDRESSES, { address: claims.map(({ address }) => address.address) }, signal);
    return claims.filter((claim) => {
      const same = found.filter((row) =>
        addressOf(row) === claim.address.address && isSame(row["vrf"], claim.address.vrf)
      );
      const usable = same.find((row) => this.#mark.serverOf(row) === id) ??
        same.find((row) => this.#isUsable(row, takesOver));
      if (usable !== undefined) settle(usable, claim, this.#claimed(usable, id));
      else if (same.length > 0) tell(`${claim.address.address} is left out: NetBox has it for others`);
      return same.length === 0;
    });
  }

  #isUsable(row: NetBoxRow, takesOver: boolean): boolean {
    if (row["assigned_object_id"] !== null) return false;
    if (this.#mark.serverOf(row) !== null) return takesOver && !this.#mark.isAdopted(row);
    return this.#adopts && row["nat_inside"] === null;
  }

  /** The mark that makes an address the server's, and ends what another had of it. */
  #claimed(row: NetBoxRow, id: string): NetBoxValues {
    const before = this.#mark.serverOf(row);
    if (before === id) return {};
    return this.#mark.of(id, { isAdopted: before === null });
  }
}

interface Settling extends Claiming {
  readonly settle: (row: NetBoxRow, claim: Claim, more?: NetBoxValues) => void;
}

/** A VRF that is missing is waited for: in another one the address would be wrong. */
async function inVrf<Value>(write: () => Promise<Value>): Promise<Value> {
  try {
    return await write();
  } catch (error) {
    const refusals = error instanceof RefusedError ? [...error.refusals.values()] : [];
    const refused = refusals.find((refusal) => "vrf" in refusal)?.["vrf"];
    if (refused === undefined) throw error;
    const text = `Cannot write an address to NetBox: vrf: ${printable(refused, 200)} Make it, or correct vrf`;
    throw new DeliveryError(text, { reason: "client_error", cause: error });
  }
}

/** The address of an object, without its prefix length. */
export function addressOf(row: NetBoxRow): string {
  const [address = ""] = String(row["address"]).split("/");
  return ipAddress(address) ?? address;
}
