import type { Detail, EventKind, Json, NotifyContext } from "../mod.ts";
import type { Subject, UpdateContext } from "../mod.ts";
import { callUserFunction, eventChanges, eventTitle, printable, RETURNS_TEXT } from "../src/kit/mod.ts";
import type { WebhookChat, WebhookText } from "./webhook_options.ts";

type Context = NotifyContext | UpdateContext;

/** One event, as a chat is told of it. */
export interface ChatLine {
  readonly key: string;
  readonly kind: EventKind;
  readonly subject: Subject;
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly text: string;
}

/** Characters of one event. */
const MAX_TEXT = 2000;

/** Characters of one changed value. */
const MAX_VALUE = 100;

/** What is said of an event. @throws {PermanentError} when the user's function fails. */
export function chatLine(
  detail: Detail,
  { created, context, text, plugin }: {
    readonly created: boolean;
    readonly context: Context;
    readonly text: WebhookText | undefined;
    readonly plugin: string;
  },
): ChatLine {
  const { key, kind, subject, time } = context;
  const said = text === undefined
    ? sentence(detail, created, context)
    : lines(callUserFunction({ ...RETURNS_TEXT, plugin, option: "text" }, () => text(detail, context)));
  return { key, kind, subject, time, text: cut(said, MAX_TEXT) };
}

/** The body of a message with some events; equal texts are said once. */
export function chatBody(events: readonly ChatLine[], chat: WebhookChat): Json {
  const texts = [...new Set(events.map(({ text }) => text))];
  return BODIES[chat](texts, events);
}

const BODIES: Readonly<Record<WebhookChat, (texts: readonly string[], events: readonly ChatLine[]) => Json>> = {
  // `<…>` is what makes mentions and links; no link is fetched.
  slack: (texts) => ({
    text: texts.map((text) => text.replace(/[&<>]/g, (char) => SLACK[char] as string)).join("\n"),
    mrkdwn: false,
    parse: "none",
    unfurl_links: false,
    unfurl_media: false,
  }),
  // Text runs have no Markdown, unlike text blocks.
  teams: (texts) => ({
    type: "message",
    attachments: [{
      contentType: "application/vnd.microsoft.card.adaptive",
      contentUrl: null,
      content: {
        $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
        type: "AdaptiveCard",
        version: "1.4",
        body: texts.flatMap((text) => text.split("\n")).map((line) => ({
          type: "RichTextBlock",
          inlines: [{ type: "TextRun", text: line }],
        })),
      },
    }],
  }),
  // Mentions and Markdown are not looked for in a block of code, which only a longer fence can end.
  mattermost: (texts) => {
    const text = texts.join("\n");
    const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
    const fence = "`".repeat(Math.max(3, longest + 1));
    return { text: `${fence}text\n${text}\n${fence}` };
  },
  json: (texts, events) => ({ text: texts.join("\n"), events: events.map((event) => ({ ...event })) }),
};

const SLACK: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

function sentence(detail: Detail, created: boolean, context: Context): string {
  const title = eventTitle(detail, created, context);
  if (context.kind !== "update") return title;
  const changes = eventChanges(detail, context).map(({ key, before, after }) =>
    `${key}: ${short(before)} → ${short(after)}`
  );
  return `${title} (${changes.join("; ")})`;
}

/** A value of a change, which holds nothing but visible characters. */
function short(value: string): string {
  if (value === "") return "(none)";
  return cut(value, MAX_VALUE);
}

/** Without half a character at its end. */
function cut(text: string, maxLength: number): string {
  return text.length > maxLength ? `${text.slice(0, maxLength - 1).replace(/[\ud800-\udbff]$/, "")}…` : text;
}

/** Line breaks stay, all else that is no visible character is escaped. */
function lines(text: string): string {
  return text.slice(0, MAX_TEXT + 1).split("\n").map((line) => printable(line)).join("\n");
}
