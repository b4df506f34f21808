import assert from "node:assert/strict";
import { Kafka, type KafkaOptions } from "oss-watcher/plugins";
import { testPlugin } from "oss-watcher/testing";
import { assertChanged } from "../support/changed_list.ts";
import { type GatedKafka, KafkaHarness, PASSWORD, type TakenMessage, USER } from "./harness.ts";

const login = { user: USER, password: PASSWORD };

/** The contract for plugins. */
export function testContract(kafka: () => GatedKafka): void {
  testPlugin({
    name: "Kafka",
    openTarget: () => KafkaHarness.open(kafka()),
    make: ({ brokers, topic }) => new Kafka({ ...login, brokers, topic }),
    cannot: { busy: "a broker that throttles answers later, and refuses nothing" },
    secrets: [PASSWORD],
    right: () => new Kafka({ ...login, brokers: ["kafka-1:9092", "[::1]:9093"], mechanism: "plain", topic: () => "c" }),
    wrong: {
      make: () =>
        new Kafka({
          brokers: `kafka://watcher:${PASSWORD}@h:9092`,
          user: "",
          password: 1,
          mechanism: "gssapi",
          tls: { caFile: "ca.pem", keyfile: "k" },
          timeoutSeconds: 0,
          topic: "cloud events",
          key: "id",
          format: "xml",
          source: "a b",
          pasword: PASSWORD,
          name: "",
        } as unknown as KafkaOptions),
      names: [
        ...["brokers", "user", "password", "mechanism", "tls", "timeoutSeconds", "topic", "key", "format", "source"],
        ...["pasword", "name"],
      ],
    },
    stable: ({ topic: _, partition: _partition, ...message }) => message,
    identify: ({ headers }) => headers["idempotency-key"] ?? "",
    assertTaken: (taken, { detail, context }) => {
      assertTold(taken);
      assert.equal(taken.headers["oss-watcher-kind"], context.kind);
      assert.equal(taken.headers["oss-watcher-sequence"], String(context.sequence));
      assert.equal(taken.headers["oss-watcher-creation-seen"], String(context.creationSeen));
      assert.deepEqual(JSON.parse(taken.body), JSON.parse(JSON.stringify(detail)));
    },
    assertUpdated: (taken, { detail, context }) => {
      assertTold(taken);
      assert.equal(taken.headers["oss-watcher-kind"], "update");
      assertChanged(taken.headers["oss-watcher-changed"] ?? "", context.changed);
      assert.deepEqual(JSON.parse(taken.body), JSON.parse(JSON.stringify(detail)));
    },
    assertPreview: (preview, { partition: _, body, ...message }) => {
      assert.deepEqual(preview, { ...message, body: JSON.parse(body) });
    },
  });
}

function assertTold({ key, headers }: TakenMessage): void {
  assert.equal(decodeURIComponent(headers["idempotency-key"]?.split("/")[1] ?? ""), key);
  assert.equal(headers["content-type"], "application/json");
}
