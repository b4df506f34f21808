import assert from "node:assert/strict";
import { searchPage } from "../../../src/ledger/search/search_walk.ts";
import { SqliteSearchSource } from "../../../src/ledger/sqlite/search_source.ts";
import type { SearchPlace, SearchQuery } from "../../../src/model/event_search.ts";
import { announceEvents, madeEvent, madeServer } from "../../support/made_events.ts";
import { TemporaryLedger } from "../../support/temporary_ledger.ts";

/** A ledger of 3,000 events, of which every hundredth is of server "rare"; with a gap of years in their numbers. */
async function largeLedger(): Promise<TemporaryLedger> {
  const opened = new TemporaryLedger();
  await opened.ledger.activate(["P"]);
  const events = Array.from({ length: 3000 }, (_, n) => {
    const name = n % 100 === 0 ? "rare" : `web-${n}`;
    return { ...madeEvent(`server/s${n}/creation`), server: madeServer(`s${n}`, { hostname: name }) };
  });
  await announceEvents(opened.ledger, events.slice(0, 1500));
  // As after a restore.
  opened.database.exec("UPDATE sqlite_sequence SET seq = 1795000000000 WHERE name = 'event'");
  await announceEvents(opened.ledger, events.slice(1500));
  return opened;
}

/** All pages of a search, on a machine on which each look at the clock takes so long. */
async function pagesOf(opened: TemporaryLedger, query: SearchQuery, slowMs: number) {
  const source = new SqliteSearchSource(opened.database);
  let now = 0;
  const found: string[] = [];
  let pages = 0;
  let before: SearchPlace | undefined;
  for (;;) {
    const page = await searchPage(source, before === undefined ? query : { ...query, before }, () => now += slowMs);
    pages++;
    found.push(...page.rows.map(({ key }) => key));
    if (page.next === null) return { found, pages };
    assert.ok(page.next.seq < (before?.seq ?? Infinity));
    before = page.next;
  }
}

Deno.test("searchPage() ends a page when its time is over, with or without rows, and the next one goes on there", async () => {
  using opened = await largeLedger();
  const query = { text: "rare", limit: 500 };
  const expected = Array.from({ length: 30 }, (_, n) => `server/s${2900 - 100 * n}/creation`);
  for (const slowMs of [0, 10, 60, 200]) {
    const { found, pages } = await pagesOf(opened, query, slowMs);
    assert.deepEqual(found, expected);
    assert.ok(slowMs < 60 ? pages < 9 : pages >= 3, `${pages} pages at ${slowMs} ms`);
  }
});

Deno.test("searchPage() crosses a gap of years in the numbers at once", async () => {
  using opened = await largeLedger();
  const { found, pages } = await pagesOf(opened, { text: "nobody", limit: 50 }, 0);
  assert.deepEqual([found, pages], [[], 1]);
});

Deno.test("searchPage() finds by an id or a key without looking at other events", async () => {
  using opened = await largeLedger();
  const source = new SqliteSearchSource(opened.database);
  source.newestBelow = () => Promise.reject(new Error("it looks through slices"));
  const { rows } = await searchPage(source, { text: "server/s77/", limit: 50 });
  assert.deepEqual(rows.map(({ key }) => key), ["server/s77/creation"]);
  const none = await searchPage(source, { text: "4818c5b1-ac0b-4458-9eed-faf8936ad379", limit: 50 });
  assert.deepEqual([none.rows, none.next], [[], null]);
});
