import assert from "node:assert/strict";
import { type DeliveredEvent, DeliveryError, type Detail, type ListedResource } from "oss-watcher";
import type { NotifyContext, Plugin, UpdateContext } from "oss-watcher";
import { fingerprint } from "oss-watcher/kit";
import { type Behaviour, contractTests, type PluginContract, type TargetHarness } from "oss-watcher/testing";

const PASSWORD = "pa55 of the lists";

/** Names of servers by their ids, in RAM. */
class Names implements TargetHarness<string> {
  readonly names = new Map<string, string>();
  behaviour: Behaviour = "accepts";
  #reached = Promise.withResolvers<void>();

  behave(behaviour: Behaviour): void {
    this.behaviour = behaviour;
    this.#reached = Promise.withResolvers<void>();
  }

  reached(): Promise<void> {
    return this.#reached.promise;
  }

  taken(): readonly string[] {
    return [...this.names.values()];
  }

  /** Fails or hangs as it was told to. */
  async answer(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#reached.resolve();
    if (this.behaviour === "accepts") return;
    if (this.behaviour !== "hangs") throw new DeliveryError("Cannot reach it", { reason: "connection" });
    await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** A plugin that keeps the contract of `list`, to be broken in one way each. */
class Listing implements Plugin {
  readonly name: string = "Listing";
  readonly target: Names;

  constructor(target: Names) {
    this.target = target;
  }

  async notify({ ID, FQDN }: Detail, created: boolean, { subject, signal }: NotifyContext): Promise<void> {
    await this.target.answer(signal);
    if (subject === "floatingip" || ID === null) return;
    if (created) this.target.names.set(ID, FQDN ?? "");
    else this.target.names.delete(ID);
  }

  async update(detail: Detail, { signal }: UpdateContext): Promise<void> {
    await this.target.answer(signal);
    this.target.names.set(detail.ID ?? "", detail.FQDN ?? "");
  }

  async *list(signal: AbortSignal): AsyncGenerator<ListedResource, void> {
    await this.target.answer(signal);
    for (const [id, name] of this.target.names) {
      if (!id.startsWith("foreign")) yield { subject: "server", id, fingerprint: await this.fingerprint(name) };
    }
  }

  async expected(delivered: readonly DeliveredEvent[]): Promise<ListedResource[]> {
    const { detail, created } = delivered.findLast(({ subject }) => subject === "server") ?? {};
    if (!created || !detail?.ID) return [];
    return [{ subject: "server", id: detail.ID, fingerprint: await this.fingerprint(detail.FQDN ?? "") }];
  }

  fingerprint(name: string): Promise<string> {
    return fingerprint([name]);
  }
}

function contractOf(Class: typeof Listing): PluginContract<Names> {
  return {
    name: "it",
    openTarget: () => new Names(),
    make: (target) => new Class(target),
    foreign: (target) => void target.names.set("foreign", "by hand"),
    secrets: [PASSWORD],
    deadlineMs: 500,
  };
}

/** The failures of the tests of `list`, by their names. */
async function failuresOf(Class: typeof Listing): Promise<string[]> {
  const failures: string[] = [];
  for (const { name, run } of contractTests(contractOf(Class)).filter(({ name }) => name.startsWith("it: list()"))) {
    try {
      await run();
    } catch {
      failures.push(name);
    }
  }
  return failures;
}

Deno.test("contractTests() passes a plugin whose list is as expected() says, and one without list", async () => {
  assert.deepEqual(await failuresOf(Listing), []);
  const without = class extends Listing {
    override readonly list = undefined as unknown as Listing["list"];
  };
  assert.deepEqual(await failuresOf(without), []);
});

const MUTANTS: readonly { readonly what: string; readonly Class: typeof Listing; readonly fails: readonly RegExp[] }[] =
  [
    {
      what: "lists what was deleted",
      Class: class extends Listing {
        override async notify(detail: Detail, created: boolean, context: NotifyContext): Promise<void> {
          if (created) await super.notify(detail, created, context);
        }
      },
      fails: [/server that was updated/, /to its deletion/, /hostile/],
    },
    {
      what: "does not change what it lists when it updates",
      Class: class extends Listing {
        override async update(): Promise<void> {}
      },
      fails: [/server that was updated/],
    },
    {
      what: "adds a second record when it updates",
      Class: class extends Listing {
        override async update(detail: Detail, context: UpdateContext): Promise<void> {
          await super.update({ ...detail, ID: `${detail.ID}-${detail.FQDN}` }, context);
        }
      },
      fails: [/server that was updated/],
    },
    {
      what: "lists nothing",
      Class: class extends Listing {
        override async *list(signal: AbortSignal): AsyncGenerator<ListedResource, void> {
          for await (const one of super.list(signal)) if (one.id === "") yield one;
        }
      },
      fails: [/server that was updated/, /to its deletion/, /repair/, /hostile/],
    },
    {
      what: "expects nothing",
      Class: class extends Listing {
        override expected(): Promise<ListedResource[]> {
          return Promise.resolve([]);
        }
      },
      fails: [/server that was updated/, /to its deletion/, /repair/, /hostile/],
    },
    {
      what: "shows texts of tenants as fingerprints",
      Class: class extends Listing {
        override fingerprint(name: string): Promise<string> {
          return Promise.resolve(name);
        }
      },
      fails: [/hostile/],
    },
    {
      what: "lists what is not ours",
      Class: class extends Listing {
        override async *list(signal: AbortSignal): AsyncGenerator<ListedResource, void> {
          yield* super.list(signal);
          if (this.target.names.has("foreign")) yield { subject: "server", id: "foreign", fingerprint: "0" };
        }
      },
      fails: [/not ours/],
    },
    {
      what: "ignores the signal",
      Class: class extends Listing {
        override list(): AsyncGenerator<ListedResource, void> {
          return super.list(new AbortController().signal);
        }
      },
      fails: [/signal is aborted/],
    },
    {
      what: "lists nothing of a target that is down, instead of failing",
      Class: class extends Listing {
        override async *list(signal: AbortSignal): AsyncGenerator<ListedResource, void> {
          signal.throwIfAborted();
          if (this.target.behaviour === "accepts" || this.target.behaviour === "hangs") yield* super.list(signal);
        }
      },
      fails: [/is down/, /know us/],
    },
    {
      what: "tells its password",
      Class: class extends Listing {
        override async *list(signal: AbortSignal): AsyncGenerator<ListedResource, void> {
          try {
            yield* super.list(signal);
          } catch (error) {
            throw new Error(`${error} with ${PASSWORD}`);
          }
        }
      },
      fails: [/is down/, /know us/],
    },
  ];

for (const { what, Class, fails } of MUTANTS) {
  Deno.test(`contractTests() finds a plugin whose list ${what}`, async () => {
    const failures = await failuresOf(Class);
    for (const pattern of fails) assert.ok(failures.some((name) => pattern.test(name)), `${pattern}: ${failures}`);
    assert.equal(failures.length, fails.length, failures.join("\n"));
  });
}
