import assert from "node:assert/strict";
import { DeliveryError, type Detail, type NotifyContext, PermanentError, type Plugin } from "oss-watcher";
import type { Json, UpdateContext } from "oss-watcher";
import { HttpTarget } from "oss-watcher/kit";
import { assertHttpPreview, contractTests, HttpHarness, type PluginContract } from "oss-watcher/testing";

const PASSWORD = "pa55 of the mutants";

/** A plugin that keeps the contract, to be broken in one way each. */
class Sound implements Plugin {
  readonly name: string = "Sound";
  readonly url: string;
  readonly #target: HttpTarget;

  constructor({ url, ...more }: { readonly url: string }) {
    const unknown = Object.keys(more).map((key) => `${key}: unknown option`);
    const problems = [...(HttpTarget.isUrl(url) ? [] : ["url: must be a full URL"]), ...unknown];
    if (problems.length > 0) throw new TypeError(problems.join("; "));
    this.url = url;
    this.#target = new HttpTarget({ user: "u", password: PASSWORD });
  }

  async notify(detail: Detail, created: boolean, context: NotifyContext): Promise<void> {
    await this.#target.request({ ...this.request(detail, created, context), signal: context.signal });
  }

  preview(detail: Detail, created: boolean, context: NotifyContext) {
    return { ...this.#target.preview(this.request(detail, created, context)) };
  }

  async check(signal: AbortSignal): Promise<void> {
    await this.#target.probe(this.url, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#target[Symbol.asyncDispose]();
  }

  request(detail: Detail, created: boolean, context: NotifyContext | UpdateContext) {
    const headers: Record<string, string> = {
      "Content-Type": "application/json",
      "X-Key": encodeURIComponent(context.key.slice(0, 300).toWellFormed()),
    };
    return { method: created ? "PUT" : "DELETE", url: this.url, headers, body: JSON.stringify(detail) };
  }
}

/** One that follows changes, too. */
class Following extends Sound {
  readonly #own = new HttpTarget({ user: "u", password: PASSWORD });

  async update(detail: Detail, context: UpdateContext): Promise<void> {
    await this.#own.request({ ...this.updateRequest(detail, context), signal: context.signal });
  }

  previewUpdate(detail: Detail, context: UpdateContext): Json | Promise<Json> {
    return { ...this.#own.preview(this.updateRequest(detail, context)) };
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
    await this.#own[Symbol.asyncDispose]();
  }

  updateRequest(detail: Detail, context: UpdateContext) {
    return { ...this.request(detail, true, context), method: "PATCH" };
  }
}

function contractOf(Class: typeof Sound): PluginContract<HttpHarness> {
  return {
    name: "it",
    openTarget: () => HttpHarness.open(),
    make: ({ url }) => new Class({ url }),
    secrets: [PASSWORD, `u:${PASSWORD}`],
    deadlineMs: 1000,
    right: () => new Class({ url: "http://127.0.0.1:9" }),
    wrong: { make: () => new Class({ url: "x", uri: "y" } as { url: string }), names: ["url", "uri"] },
    identify: ({ headers }) => headers["x-key"] ?? "",
    assertTaken: ({ body }, { detail }) => assert.deepEqual(JSON.parse(body), detail),
    assertUpdated: ({ method, body }, { detail }) => assert.deepEqual([method, JSON.parse(body)], ["PATCH", detail]),
    assertPreview: assertHttpPreview,
  };
}

for (const [what, Class] of [["that keeps it", Sound], ["with update() that keeps it", Following]] as const) {
  for (const { name, needsNothing, run } of contractTests(contractOf(Class))) {
    Deno.test({
      name: `contractTests() passes a plugin ${what}: ${name}`,
      permissions: needsNothing ? "none" : "inherit",
      fn: run,
    });
  }
}

/** A plugin that fails as the given one does, but for what becomes of its errors. */
function rethrowing(change: (error: DeliveryError) => void): typeof Sound {
  return class extends Sound {
    override async notify(detail: Detail, created: boolean, context: NotifyContext): Promise<void> {
      await super.notify(detail, created, context).catch(change);
    }
  };
}

interface Mutant {
  readonly what: string;
  readonly Class: typeof Sound;
  readonly fails: readonly RegExp[];
}

const MUTANTS: readonly Mutant[] = [
  {
    what: "swallows errors",
    Class: rethrowing(() => {}),
    fails: [
      /notify.*is down/,
      /cuts the connection/,
      /notify.*not know us/,
      /is busy/,
      /error of its own/,
      /never take/,
    ],
  },
  {
    what: "throws errors without a status or a reason",
    Class: rethrowing(({ message }) => {
      throw new Error(message);
    }),
    fails: [/notify.*target is down/, /cuts the connection/, /notify.*does not know us/, /never take/],
  },
  {
    what: "gives up at once",
    Class: rethrowing(({ message }) => {
      throw new PermanentError(message);
    }),
    fails: [/notify.*target is down/, /notify.*not know us/, /is busy/, /error of its own/, /the service stops/],
  },
  {
    what: "tells its password in errors",
    Class: rethrowing((error) => {
      throw new DeliveryError(`${error.message} with ${btoa(`u:${PASSWORD}`)}`, error);
    }),
    fails: [/notify.*target is down/, /error of its own/],
  },
  {
    what: "ignores the signal",
    Class: class extends Sound {
      override notify(detail: Detail, created: boolean, context: NotifyContext): Promise<void> {
        return super.notify(detail, created, { ...context, signal: new AbortController().signal });
      }
    },
    fails: [/the service stops/, /takes too long/, /aborted before/],
  },
  {
    what: "gives every attempt a key of its own",
    Class: class extends Sound {
      override request(detail: Detail, created: boolean, context: NotifyContext) {
        return { ...super.request(detail, created, context), headers: { "X-Key": crypto.randomUUID() } };
      }
    },
    fails: [/same event comes twice/, /preview\(\) tells what/],
  },
  {
    what: "writes to the detail",
    Class: class extends Sound {
      override async notify(detail: Detail, created: boolean, context: NotifyContext): Promise<void> {
        (detail as { FQDN: string }).FQDN = "mine";
        await super.notify(detail, created, context);
      }
    },
    fails: [/notify\(\) was given of a server/],
  },
  {
    what: "sends when it previews",
    Class: class extends Sound {
      override preview(detail: Detail, created: boolean, context: NotifyContext) {
        fetch(this.url, { method: "PUT" }).then((response) => response.body?.cancel(), () => {});
        return super.preview(detail, created, context);
      }
      override async notify(detail: Detail, created: boolean, context: NotifyContext): Promise<void> {
        await super.notify(detail, created, context);
        await super.notify(detail, created, context);
      }
    },
    fails: [/notify\(\) was given of a server/, /preview\(\) tells what/],
  },
  {
    what: "tells its password in previews",
    Class: class extends Sound {
      override request(detail: Detail, created: boolean, context: NotifyContext) {
        return { ...super.request(detail, created, context), body: PASSWORD };
      }
    },
    fails: [/preview\(\) does no I\/O, tells no secret/, /notify\(\) was given of a server/],
  },
  {
    what: "shows its password to whoever inspects it",
    Class: class extends Sound {
      readonly password = PASSWORD;
    },
    fails: [/constructor does no I\/O/, /notify\(\) was given of a server/],
  },
  {
    what: "sends two things for a text with a line feed",
    Class: class extends Sound {
      override async notify(detail: Detail, created: boolean, context: NotifyContext): Promise<void> {
        await super.notify(detail, created, context);
        if (detail.Owner?.includes("\n")) await super.notify(detail, created, context);
      }
    },
    fails: [/hostile texts in names/],
  },
  {
    what: "loses what has no place in its target",
    Class: class extends Sound {
      override request(detail: Detail, created: boolean, context: NotifyContext) {
        const body = JSON.stringify(detail).replace(/\\ud[89a-f][0-9a-f]{2}/g, "?");
        return { ...super.request(detail, created, context), body };
      }
    },
    fails: [/hostile texts in names/],
  },
  {
    what: "tries hostile names for ever",
    Class: class extends Sound {
      override async notify(detail: Detail, created: boolean, context: NotifyContext): Promise<void> {
        if (detail.FQDN?.includes("\0")) throw new Error("Cannot write a NUL");
        await super.notify(detail, created, context);
      }
    },
    fails: [/hostile texts in names/],
  },
  {
    what: "does not come back after a failure",
    Class: class extends Sound {
      #broken: unknown;
      override async notify(detail: Detail, created: boolean, context: NotifyContext): Promise<void> {
        if (this.#broken !== undefined) throw this.#broken;
        await super.notify(detail, created, context).catch((error) => {
          throw this.#broken = error;
        });
      }
    },
    fails: [/notify.*target is down/, /error of its own/, /the service stops/],
  },
  {
    what: "wants to see the creation first",
    Class: class extends Sound {
      override async notify(detail: Detail, created: boolean, context: NotifyContext): Promise<void> {
        if (!context.creationSeen) throw new Error("What server?");
        await super.notify(detail, created, context);
      }
    },
    fails: [/never seen to come/],
  },
  {
    what: "lets its check pass whatever the target says",
    Class: class extends Sound {
      override check(): Promise<void> {
        return Promise.resolve();
      }
    },
    fails: [/check\(\) rejects.*down/, /check\(\) rejects.*not know us/],
  },
  {
    what: "does not look at all of its options",
    Class: class extends Sound {
      constructor({ url }: { readonly url: string }) {
        super({ url });
      }
    },
    fails: [/names every wrong option/],
  },
];

/** Plugins that notify as they should, and update as they should not. */
const UPDATING_MUTANTS: readonly Mutant[] = [
  {
    what: "swallows errors",
    Class: class extends Following {
      override async update(detail: Detail, context: UpdateContext): Promise<void> {
        await super.update(detail, context).catch(() => {});
      }
    },
    fails: [/is down/, /cuts the connection/, /not know us/, /is busy/, /error of its own/, /never take/],
  },
  {
    what: "tells its password in errors",
    Class: class extends Following {
      override async update(detail: Detail, context: UpdateContext): Promise<void> {
        await super.update(detail, context).catch((error) => {
          throw new DeliveryError(`${error.message} with ${PASSWORD}`, error);
        });
      }
    },
    fails: [/target is down/, /error of its own/],
  },
  {
    what: "ignores the signal",
    Class: class extends Following {
      override update(detail: Detail, context: UpdateContext): Promise<void> {
        return super.update(detail, { ...context, signal: new AbortController().signal });
      }
    },
    fails: [/the service stops/, /takes too long/, /aborted before/],
  },
  {
    what: "gives every attempt a key of its own",
    Class: class extends Following {
      override updateRequest(detail: Detail, context: UpdateContext) {
        return { ...super.updateRequest(detail, context), headers: { "X-Key": crypto.randomUUID() } };
      }
    },
    fails: [/same update comes twice/, /ends up the same/, /previewUpdate\(\) tells what/],
  },
  {
    what: "writes to what was before",
    Class: class extends Following {
      override async update(detail: Detail, context: UpdateContext): Promise<void> {
        (context.before as { FQDN: string }).FQDN = "mine";
        await super.update(detail, context);
      }
    },
    fails: [/update\(\) was given/],
  },
  {
    what: "sends what was before",
    Class: class extends Following {
      override updateRequest(_detail: Detail, context: UpdateContext) {
        return super.updateRequest(context.before, context);
      }
    },
    fails: [/update\(\) was given/, /hostile texts in names/, /hostile texts in ids/],
  },
  {
    what: "sends two things for a hostile key",
    Class: class extends Following {
      override async update(detail: Detail, context: UpdateContext): Promise<void> {
        await super.update(detail, context);
        if (context.changed.some((key) => key.includes("\n"))) await super.update(detail, context);
      }
    },
    fails: [/hostile texts in names/],
  },
  {
    what: "tries a hostile value before the update for ever",
    Class: class extends Following {
      override async update(detail: Detail, context: UpdateContext): Promise<void> {
        if (context.before.FQDN?.includes("\0")) throw new Error("Cannot compare a NUL");
        await super.update(detail, context);
      }
    },
    fails: [/hostile texts in names/],
  },
  {
    what: "tells its password in previews",
    Class: class extends Following {
      override previewUpdate(): Json {
        return PASSWORD;
      }
    },
    fails: [/previewUpdate\(\) does no I\/O, tells no secret/, /previewUpdate\(\) tells what/],
  },
  {
    what: "does I/O when it previews",
    Class: class extends Following {
      override async previewUpdate(detail: Detail, context: UpdateContext): Promise<Json> {
        await (await fetch(this.url, { method: "PUT" })).body?.cancel();
        return await super.previewUpdate(detail, context);
      }
    },
    fails: [/previewUpdate\(\) tells what/],
  },
  {
    what: "does not come back after a failure",
    Class: class extends Following {
      #broken: unknown;
      override async update(detail: Detail, context: UpdateContext): Promise<void> {
        if (this.#broken !== undefined) throw this.#broken;
        await super.update(detail, context).catch((error) => {
          throw this.#broken = error;
        });
      }
    },
    fails: [/target is down/, /error of its own/, /the service stops/],
  },
];

for (const { what, Class, fails } of UPDATING_MUTANTS) {
  for (const wanted of fails) {
    Deno.test(`contractTests() fails a plugin whose update() ${what}: ${wanted.source}`, async () => {
      const tests = contractTests(contractOf(Class)).filter(({ name }) =>
        /update\(\)|previewUpdate|update comes/.test(name)
      );
      const found = tests.filter(({ name }) => wanted.test(name));
      assert.ok(found.length > 0);
      for (const { name, run } of found) {
        await assert.rejects(async () => await run(), (error: unknown) => error instanceof Error, `passed: ${name}`);
      }
    });
  }
}

for (const { what, Class, fails } of MUTANTS) {
  for (const wanted of fails) {
    Deno.test(`contractTests() fails a plugin that ${what}: ${wanted.source}`, async () => {
      const tests = contractTests(contractOf(Class)).filter(({ name }) => !/update\(\)/.test(name));
      const found = tests.filter(({ name }) => wanted.test(name));
      assert.ok(found.length > 0);
      for (const { name, run } of found) {
        await assert.rejects(async () => await run(), (error: unknown) => error instanceof Error, `passed: ${name}`);
      }
    });
  }
}

Deno.test({
  name: "contractTests() fails a plugin whose constructor does I/O",
  permissions: "none",
  fn: async () => {
    const eager = class extends Sound {
      readonly read = Deno.readTextFileSync("/etc/hostname");
    };
    const test = contractTests(contractOf(eager)).find(({ name }) => /constructor does no I\/O/.test(name));

    await assert.rejects(async () => await test?.run(), Deno.errors.NotCapable);
  },
});

Deno.test("contractTests() says why it skips what the contract does not tell, or the target cannot do", () => {
  const { name, openTarget, make } = contractOf(Sound);
  const tests = contractTests({ name, openTarget, make, cannot: { hangs: "it never sleeps" } });
  const reasons = tests.flatMap(({ skipped }) => skipped ?? []);

  assert.deepEqual([...new Set(reasons)].sort(), [
    "it never sleeps",
    "the contract has no `assertPreview`",
    "the contract has no `foreign`",
    "the contract has no `identify`",
    "the contract has no `right`",
    "the contract has no `wrong`",
  ]);
});
