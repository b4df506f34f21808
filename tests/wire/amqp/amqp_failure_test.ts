import assert from "node:assert/strict";
import { AmqpFailures } from "../../../src/wire/amqp/amqp_failure.ts";

const LOGIN = "Login was refused using authentication mechanism PLAIN. For details see the broker logfile.";
const RIGHT = "access to exchange 'cloud' in vhost '/' refused for user 'watcher'";

for (
  const [said, expected] of [
    [LOGIN, `${LOGIN.slice(0, -1)}; check user and password`],
    [RIGHT, `${RIGHT}; give the user the right to it`],
  ] as const
) {
  Deno.test(`failed() says what to do when the broker says ${said}`, () => {
    const error = Object.assign(new Error(`ConnectionClose: ACCESS_REFUSED - ${said}`), { code: "ACCESS_REFUSED" });

    const failure = new AmqpFailures([]).failed("Cannot connect to rabbit-1:5672", error);

    assert.equal(failure.message, `Cannot connect to rabbit-1:5672: ${expected}`);
    assert.equal("reason" in failure && failure.reason, "unauthorized");
  });
}
