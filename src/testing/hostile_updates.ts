import type { PluginContract } from "./contract.ts";
import { hostileEvents, namesOf } from "./hostile_tests.ts";
import { HOSTILE_TEXTS } from "./hostile_texts.ts";
import { type SampleEvent, sampleEvent } from "./sample_event.ts";
import { type SampleUpdate, sampleUpdate } from "./sample_update.ts";

/** A server that is created, updated and deleted, with the hostile text in it. */
export interface HostileLife {
  readonly what: string;
  readonly creation: SampleEvent;
  readonly updates: readonly SampleUpdate[];
  readonly deletion: SampleEvent;
}

/**
 * Updates to every hostile text and away from it, in all values that tenants choose and in a key of
 * `detail.fields`; and updates of servers whose ids and addresses are hostile.
 */
export function hostileUpdates({ updated = {} }: Pick<PluginContract, "updated"> = {}): HostileLife[] {
  const deletions = hostileEvents(false);
  return hostileEvents(true).map(({ what, event: creation }, index): HostileLife => {
    const server = Math.floor(index / 2) + 1;
    const text = Object.values(HOSTILE_TEXTS)[server - 1] ?? "";
    const deletion = deletions[index]?.event ?? sampleEvent({ server, created: false });
    if (what.endsWith("in ids and addresses")) {
      const { detail, context } = sampleUpdate({
        server,
        before: creation.detail,
        detail: { Owner: "bert", UserName: "operator", ...updated },
      });
      const update = { detail, context: { ...context, key: `server/${text}/update/1` } };
      return { what, creation, updates: [update], deletion };
    }
    const plain = sampleEvent({ server });
    const changes = { ...updated, ...namesOf(text), [text]: text };
    const to = sampleUpdate({ server, detail: changes });
    const away = sampleUpdate({ server, number: 2, before: to.detail, detail: { ...plain.detail, [text]: null } });
    return { what, creation: plain, updates: [to, away], deletion: sampleEvent({ server, created: false }) };
  });
}
