import { BOOL, listOf, NUMBER, objectOf, oneOf, orNull, type Schema, TEXT, WHOLE } from "../console/api/api_schema.ts";
import type { Problem } from "../inspect/doctor/diagnose.ts";
import type { QueueLook } from "../inspect/doctor/examine.ts";
import type { Flow } from "../inspect/doctor/traffic.ts";
import type { examinationFacts } from "./doctor_text.ts";

const STATE = orNull({ type: "object" });
const QUEUE_LOOK = { name: TEXT, before: STATE, after: STATE, refused: orNull(TEXT) };

type Examined = ReturnType<typeof examinationFacts>;

/** What `doctor` has found out of one broker. */
export const EXAMINATION: Schema = objectOf<Examined>({
  address: TEXT,
  version: TEXT,
  user: TEXT,
  vhost: TEXT,
  seconds: NUMBER,
  follows: BOOL,
  queue: objectOf<Examined["queue"]>({
    ...QUEUE_LOOK,
    isOwn: BOOL,
    exchanges: listOf(TEXT),
    routingKeys: listOf(TEXT),
    mismatch: orNull(TEXT),
  }),
  exchanges: listOf(objectOf<{ name: string; there: boolean }>({ name: TEXT, there: BOOL })),
  defaultQueues: listOf(objectOf<QueueLook>(QUEUE_LOOK)),
  flows: listOf(objectOf<Flow & { bound: unknown }>({
    exchange: TEXT,
    routingKey: TEXT,
    count: WHOLE,
    handled: WHOLE,
    unreadable: WHOLE,
    drivers: listOf(TEXT),
    formats: listOf(TEXT),
    serverFormats: listOf(TEXT),
    serverUpdates: WHOLE,
    bound: orNull(BOOL),
  })),
  deaf: orNull(TEXT),
  management: TEXT,
  problems: listOf(objectOf<Problem>({
    level: oneOf(["error", "warning"]),
    text: TEXT,
    remedies: listOf({ type: "object" }),
  })),
});
