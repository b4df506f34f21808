import assert from "node:assert/strict";
import { isPostgresUrl, postgresAddress, readPostgresUrl, shownPostgresUrl } from "../../src/model/postgres_address.ts";

Deno.test("postgresAddress() reads hosts, ports, user and password, and has defaults for the rest", () => {
  const url = "postgresql://w%40tch:p%3Ass@w,ord@db-1:5433,db-2,[fd00::2]:6432/state?sslmode=require";
  assert.deepEqual(postgresAddress({ url }), {
    hosts: ["db-1", "db-2", "fd00::2"],
    ports: [5433, 5432, 6432],
    database: "state",
    user: "w@tch",
    password: "p:ss@w,ord",
    schema: "oss_watcher",
    usesTls: true,
  });
});

Deno.test("postgresAddress() uses TLS where the URL or a caFile says so", () => {
  const usesTls = (parameters: string, caFile?: string) =>
    postgresAddress({ url: `postgres://u@h/d${parameters}`, ...(caFile === undefined ? {} : { caFile }) }).usesTls;
  assert.deepEqual([usesTls(""), usesTls("?sslmode=disable")], [false, false]);
  assert.deepEqual([usesTls("?sslmode=verify-ca"), usesTls("?sslmode=verify-full")], [true, true]);
  assert.deepEqual([usesTls("", "ca.pem"), usesTls("?sslmode=require", "ca.pem")], [true, true]);
});

Deno.test("postgresAddress() takes the schema from the options, else from the URL", () => {
  const url = "postgres://u@h/d?schema=other";
  assert.equal(postgresAddress({ url }).schema, "other");
  assert.equal(postgresAddress({ url, schema: "mine" }).schema, "mine");
});

for (
  const [url, problem] of [
    ["postgres://hush", /^it is not postgres:\/\/user:password@host:5432\/database/],
    ["mysql://u:hush@h/d", /^it is not postgres:/],
    ["postgres://:hush@h/d", /^it names no user: /],
    ["postgres://u:hush@h/", /^it names no database: /],
    ["postgres://u:hush@/d", /^a host of it is empty or no host: /],
    ["postgres://u:hush@h,/d", /^a host of it is empty or no host: /],
    ["postgres://u:hush@h:0/d", /^a port of it is not from 1 to 65535$/],
    ["postgres://u:hush@h:70000/d", /^a port of it is not from 1 to 65535$/],
    ["postgres://u:hush%@h/d", /^its password holds a "%" that must be written as "%25"$/],
    ["postgres://u:hush@h/d?sslmode=prefer", /^its sslmode is none of disable, require, verify-ca, verify-full$/],
    ["postgres://u:hush@h/d?schema=Upper", /^its schema is not a name of /],
    ["postgres://u:hush@h/d?password=hush", /^of its parameters, only sslmode and schema are known$/],
  ] as const
) {
  Deno.test(`readPostgresUrl() refuses ${url.replace("hush", "…")} without its password`, () => {
    assert.throws(() => readPostgresUrl(url), (error) => {
      assert.ok(error instanceof SyntaxError);
      assert.match(error.message, problem);
      assert.ok(!error.message.includes("hush"));
      return true;
    });
  });
}

Deno.test("shownPostgresUrl() shows the address without the password", () => {
  const address = readPostgresUrl("postgres://u%2Fv:hush@h:5433,[::1]/d?sslmode=disable");
  assert.equal(shownPostgresUrl(address), "postgres://u%2Fv@h:5433,[::1]:5432/d");
});

Deno.test("isPostgresUrl() tells a URL from a path", () => {
  assert.deepEqual(["postgres://", "postgresql://h/d", "postgres/ledger.db", "/a/postgres://b"].map(isPostgresUrl), [
    ...[true, true, false, false],
  ]);
});
