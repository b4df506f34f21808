import type { Gap } from "../../model/gap.ts";
import type { Row } from "./client.ts";
import { original } from "./columns.ts";

/** Reads a row of table `gap`. */
export function gapOf(row: Row): Gap {
  const exchange = original(String(row["exchange"]));
  return {
    source: { queue: original(String(row["queue"])), brokers: original(String(row["brokers"])) },
    exchange: exchange === "" ? null : exchange,
    from: Number(row["from_at"]),
    to: row["to_at"] === null ? null : Number(row["to_at"]),
    certainty: row["certainty"] as Gap["certainty"],
  };
}
