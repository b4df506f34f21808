import { createHash } from "node:crypto";
import { columnsOf, type CopiedRow, type TableName, type Value } from "./tables.ts";

/** Rows of a table, and their checksum. */
export interface Digest {
  readonly rows: number;
  /** 64 hexadecimal digits. */
  readonly checksum: string;
}

/**
 * The number of rows, and the sum of their SHA-256: ledgers may give rows in different orders, as
 * what a text is sorted by is how it is stored. Half of a surrogate pair counts as U+FFFD, which SQLite
 * stores instead.
 */
export class RowDigest {
  readonly #columns: readonly string[];
  /** Of 32 bits each. */
  readonly #sums = new Uint32Array(8);
  #rows = 0;

  constructor(table: TableName) {
    this.#columns = columnsOf(table).map(([name]) => name);
  }

  add(row: CopiedRow): void {
    this.#rows++;
    let text = "";
    for (const name of this.#columns) text += encoded(row[name] ?? null);
    const hash = createHash("sha256").update(text, "utf8").digest();
    for (let at = 0; at < 8; at++) this.#sums[at]! += hash.readUInt32BE(4 * at);
  }

  get result(): Digest {
    const checksum = [...this.#sums].map((sum) => sum.toString(16).padStart(8, "0")).join("");
    return { rows: this.#rows, checksum };
  }
}

/** 16 hexadecimal digits, by which texts are told apart. */
export function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/** A value with its type and its length: no two rows have the same text. */
function encoded(value: Value): string {
  if (value === null) return "n;";
  if (typeof value === "string") return `t${value.length}:${value}`;
  if (typeof value === "boolean") return value ? "b1;" : "b0;";
  if (typeof value === "number") return `i${value};`;
  if (value instanceof Uint8Array) return `x${value.length}:${value.toHex()}`;
  return `l${value.join(",")};`;
}
