import assert from "node:assert/strict";
import { Webhook, type WebhookOptions } from "oss-watcher/plugins";
import { assertHttpPreview, HTTP_ANSWERS, HttpHarness, type HttpTaken, testPlugin } from "oss-watcher/testing";
import type { SampleEvent, SampleUpdate } from "oss-watcher/testing";

const PATH = "/services/T0TEAM000/B0CHANNEL0/s3cretOfTheContract";

function textOf({ body }: HttpTaken): string {
  return String(JSON.parse(body).text);
}

function assertTold(taken: HttpTaken, { detail, created }: SampleEvent): void {
  assert.equal(taken.path, PATH);
  assert.match(textOf(taken), created ? /created|associated/ : /deleted|released/);
  // A name without special characters is told as it is.
  if (/^[\w.-]{1,90}$/.test(String(detail.FQDN))) assert.ok(textOf(taken).includes(String(detail.FQDN)));
}

for (const chat of ["slack", "teams", "mattermost", "json"] as const) {
  testPlugin({
    name: `Webhook for ${chat}`,
    openTarget: () => HttpHarness.open(),
    answers: HTTP_ANSWERS,
    make: ({ url }) => new Webhook({ chat, url: url + PATH, everySeconds: 0, updates: true }),
    secrets: [PATH, "s3cretOfTheContract", "B0CHANNEL0"],
    right: () => new Webhook({ chat, url: `https://chat.example.com${PATH}`, updates: true }),
    wrong: {
      make: () =>
        new Webhook({
          chat: "irc",
          url: PATH,
          everySeconds: 21,
          text: "x",
          updates: 1,
          name: "",
          timeoutSeconds: 0,
        } as unknown as WebhookOptions),
      names: ["chat", "url", "everySeconds", "text", "updates", "name", "timeoutSeconds"],
    },
    ...(chat === "teams" ? {} : {
      assertTaken: assertTold,
      assertUpdated: (taken: HttpTaken, { context }: SampleUpdate) => {
        assert.match(textOf(taken), /Server changed/);
        for (const key of context.changed) {
          if (/^[A-Z]\w+$/.test(key) && context.changed.length < 5) assert.ok(textOf(taken).includes(key));
        }
      },
    }),
    assertPreview: (preview, taken) => {
      const { url, ...shown } = preview as { url: string };
      assert.match(url, /^https?:\/\/[^/]+\/\*\*\*$/);
      assertHttpPreview({ ...shown, url: url.replace("/***", taken.path) }, taken);
    },
  });
}
