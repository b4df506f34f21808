import assert from "node:assert/strict";
import { type Contender, contest, type Outcome } from "../../bench/contest.ts";
import { tableOf } from "../../bench/table.ts";

/** Gives one value after the other, round by round; `null` is a round that fails. */
function contender(values: readonly (number | null)[], work = "10 messages"): Contender {
  let round = 0;
  return () => {
    const value = values[round++];
    return value === null || value === undefined
      ? Promise.reject(new Error("it broke\nat length"))
      : Promise.resolve({ work, figures: { rate: value } });
  };
}

function run(own: Contender, peer: Contender) {
  return contest({ name: "test", rounds: 3 }, { own, peer });
}

function refusal(outcome: Outcome): string {
  assert.ok(typeof outcome !== "number", `${outcome} was not refused`);
  return outcome.refused;
}

Deno.test("contest() gives the median of the rounds, and of their ratios", async () => {
  const rounds = await run(contender([10, 60, 20]), contender([1, 3, 10]));
  assert.equal(rounds.median("own", "rate"), 20);
  // 10, 20 and 2; the ratio of the medians would be 20 / 3.
  assert.equal(rounds.ratio("own", "peer", "rate"), 10);
});

Deno.test("contest() refuses every figure of a contender that failed in a round, and goes on with the others", async () => {
  const rounds = await run(contender([10, null, 20]), contender([1, 3, 10]));
  assert.match(refusal(rounds.median("own", "rate")), /^round 2 of own: it broke/);
  assert.match(refusal(rounds.ratio("own", "peer", "rate")), /^round 2 of own: it broke/);
  assert.match(refusal(rounds.ratio("peer", "own", "rate")), /^round 2 of own: it broke/);
  assert.equal(rounds.median("peer", "rate"), 3);
});

Deno.test("contest() refuses a ratio to a peer that did other work", async () => {
  const rounds = await run(contender([10, 60, 20]), contender([1, 3, 10], "9 messages"));
  assert.equal(
    refusal(rounds.ratio("own", "peer", "rate")),
    "other work than its peer: 10 messages against 9 messages",
  );
});

Deno.test("contest() says of a contender that is not there just that", async () => {
  const rounds = await run(contender([10, 60, 20]), "not there: nowhere on PATH");
  assert.equal(refusal(rounds.median("peer", "rate")), "not there: nowhere on PATH");
  assert.equal(refusal(rounds.ratio("own", "peer", "rate")), "not there: nowhere on PATH");
  assert.equal(rounds.median("own", "rate"), 20);
});

Deno.test("contest() refuses a figure that a round did not give", async () => {
  const rounds = await run(contender([10, 60, NaN]), contender([1, 3, 10]));
  assert.equal(refusal(rounds.median("own", "rate")), "round 3 of own gave no rate");
  assert.equal(refusal(rounds.ratio("own", "peer", "rate")), "round 3 of own gave no rate");
  assert.equal(refusal(rounds.median("peer", "speed")), "round 1 of peer gave no speed");
});

Deno.test("tableOf() says why there is no figure, in one line", async () => {
  const rounds = await run(contender([null, null, null]), contender([1, 3, 10]));
  const table = tableOf("a row", [
    { what: "against it", value: rounds.ratio("own", "peer", "rate"), unit: "×", aim: { atLeast: 6 } },
    { what: "its own", value: rounds.median("peer", "rate"), unit: "/s", aim: { atLeast: 2 } },
  ]);
  const [, first = "", second = ""] = table.split("\n");
  assert.match(first, /^ {2}against it +— +≥ 6 +refused: round 1 of own: it broke$/);
  assert.match(second, /^ {2}its own +3 \/s +≥ 2 +met$/);
});
