import assert from "node:assert/strict";
import { LazyApp } from "../../src/console/lazy_app.ts";
import type { Answer } from "../../src/console/server_options.ts";
import { KeptLog } from "../support/loggers.ts";

const CLIENT = { address: "127.0.0.1", repeated: new Set<string>() };

/** Apps that are counted. Their answer fails for `/bad`. */
function counted() {
  const counts = { made: 0, disposed: 0 };
  const answer: Answer = ({ url }) =>
    url.endsWith("/bad") ? Promise.reject(new Error("no answer")) : Promise.resolve(new Response("well"));
  const make = () => {
    counts.made++;
    return Promise.resolve(Object.assign(answer.bind(null), { [Symbol.dispose]: () => void counts.disposed++ }));
  };
  const log = new KeptLog();
  const app = new LazyApp({ make, isSecure: true, log });
  const ask = (path: string) => app.answer(new Request(`http://console.invalid${path}`), CLIENT);
  return { app, ask, counts, log };
}

Deno.test("LazyApp makes its app once, for requests at the same time, and after one has failed", async () => {
  const { app, ask, counts } = counted();
  assert.deepEqual((await Promise.all([ask("/"), ask("/"), ask("/bad")])).map(({ status }) => status), [200, 200, 500]);
  assert.equal((await ask("/")).status, 200);
  assert.deepEqual(counts, { made: 1, disposed: 0 });
  app[Symbol.dispose]();
  await ask("/");
  assert.deepEqual(counts, { made: 1, disposed: 1 });
});

Deno.test("LazyApp answers a failure with the headers of all answers, and tells the log alone why", async () => {
  const { ask, log } = counted();
  const response = await ask("/bad");
  assert.match(response.headers.get("content-security-policy") ?? "", /^default-src 'none'; /);
  assert.match(response.headers.get("strict-transport-security") ?? "", /^max-age=/);
  assert.deepEqual(await response.json(), {
    error: "Cannot answer a request of the console: the service's log says why",
  });
  assert.match(log.lines.join("\n"), /Cannot answer a request of the console: no answer/);
});

Deno.test("LazyApp ends what is made while it ends", async () => {
  const { app, ask, counts } = counted();
  const asked = ask("/");
  app[Symbol.dispose]();
  await asked;
  assert.equal(counts.disposed, 1);
});
