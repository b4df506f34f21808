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

const VHOST = "access to vhost 'limit (0) is reached' refused for user 'watcher'";

for (
  const [code, said, reason, text] of [
    ["NOT_ALLOWED", VHOST, "unauthorized", /; check vhost, or give the user the right to it$/],
    ["NOT_ALLOWED", "vhost cloud not found", "unauthorized", /; check vhost$/],
    [
      "NOT_ALLOWED",
      `${VHOST}: connection limit (7) is reached`,
      "connection",
      /set_vhost_limits raises max-connections$/,
    ],
    [
      "NOT_ALLOWED",
      "connection refused for user 'w': user connection limit (0) is reached",
      "connection",
      /set_user_limits/,
    ],
    [
      "NOT_ALLOWED",
      "connection refused: node connection limit (9) is reached",
      "connection",
      /rabbitmq\.conf has the limit/,
    ],
    [
      "INTERNAL_ERROR",
      "access to vhost '/' refused for user 'w': vhost '/' is down",
      "server_error",
      /vhost '\/' is down; /,
    ],
    ["NOT_FOUND", "no exchange 'cloud' in vhost '/'", "client_error", /: it is not there; its owner must declare it$/],
    [
      "NOT_FOUND",
      "home node 'rabbit@b' of durable queue 'q' in vhost '/' is down or inaccessible",
      "server_error",
      /is down or inaccessible; /,
    ],
    ["RESOURCE_LOCKED", "cannot obtain exclusive access to locked queue 'q'", "client_error", /locked queue 'q'$/],
    ["PRECONDITION_FAILED", "message size 7 is larger than configured max size 5", undefined, /larger than configured/],
    ["PRECONDITION_FAILED", "unknown delivery tag 7", "server_error", /unknown delivery tag/],
  ] as const
) {
  Deno.test(`failed() reads the cause of ${code} - ${said}`, () => {
    const error = Object.assign(new Error(`ConnectionClose: ${code} - ${said}`), { code });

    const failure = new AmqpFailures([]).failed("Cannot publish", error);

    assert.equal("reason" in failure ? failure.reason : undefined, reason, failure.message);
    assert.match(failure.message, text);
  });
}
