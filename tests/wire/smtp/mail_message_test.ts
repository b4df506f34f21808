import assert from "node:assert/strict";
import { composeMail, type MailDraft } from "../../../src/wire/smtp/mail_message.ts";

const draft: MailDraft = {
  id: "4711",
  date: new Date("2026-11-21T18:59:01Z"),
  from: { name: "", address: "a@example.com" },
  to: ["b@example.com", "c@example.com"],
  subject: "s",
  text: "t",
  headers: { "X-OSS-Watcher-Key": "k" },
};

Deno.test("composeMail() writes a mail of one part", async () => {
  assert.deepEqual((await composeMail(draft)).split("\r\n"), [
    "Content-Transfer-Encoding: quoted-printable",
    "X-OSS-Watcher-Key: k",
    "From: a@example.com",
    "To: b@example.com, c@example.com",
    "Subject: s",
    "Message-ID: <4711@example.com>",
    "Date: Sat, 21 Nov 2026 18:59:01 +0000",
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    "",
    "t",
    "",
  ]);
});

Deno.test("composeMail() gives the same mail for the same draft", async () => {
  const both = { ...draft, html: "<p>t</p>" };
  assert.equal(await composeMail(both), await composeMail(both));
});

for (
  const [subject, shown] of [
    ["a\r\nBcc: x@example.com", "a Bcc: x@example.com"],
    ["\0\x1b[2J\x9b2J", "=?UTF-8?B?77+977+9WzJK77+9Mko=?="],
    ["=?UTF-8?Q?x?=", "=?UTF-8?B?PT9VVEYtOD9RP3g/?= =?UTF-8?B?PQ==?="],
    ["", undefined],
  ] as const
) {
  Deno.test(`composeMail() writes the subject ${JSON.stringify(subject)} on one line`, async () => {
    const message = await composeMail({ ...draft, subject });
    assert.equal(/^Subject: (.*)\r\n\S/m.exec(message)?.[1], shown);
  });
}
