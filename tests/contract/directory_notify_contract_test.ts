import assert from "node:assert/strict";
import { DirectoryNotify, type DirectoryNotifyOptions } from "oss-watcher/plugins";
import { assertHttpPreview, HTTP_ANSWERS, HttpHarness, testPlugin } from "oss-watcher/testing";

const login = { user: "watcher", password: "pa55 of the contract", logFile: null };

testPlugin({
  name: "DirectoryNotify",
  openTarget: () => HttpHarness.open(),
  make: ({ url }) => new DirectoryNotify({ ...login, url: `${url}/instances`, updates: true }),
  answers: HTTP_ANSWERS,
  subjects: ["server"],
  secrets: ["pa55 of the contract", "watcher:pa55 of the contract"],
  right: () =>
    new DirectoryNotify({
      ...{ user: "watcher", password: "pa55 of the contract" },
      ...{ url: "https://h/instances", updates: true },
    }),
  wrong: {
    make: () =>
      new DirectoryNotify({
        url: "https://watcher:pa55 of the contract@h/",
        urlDeletion: "/old",
        methodDeletion: "GET",
        logFile: "",
        updates: 1,
        python2: "no",
        bearer: "pa55 of the contract",
        headers: { "Content-Type": "a/b" },
        methodCreation: "PUT",
        name: "",
      } as unknown as DirectoryNotifyOptions),
    names: [
      ...["url", "urlDeletion", "methodDeletion", "logFile", "updates", "python2", "bearer", "headers"],
      ...["methodCreation", "name"],
    ],
  },
  identify: ({ headers }) => headers["idempotency-key"] ?? "",
  assertTaken: ({ method, path, body }, { detail, created }) => {
    const record = {
      image_uuid: detail.ImageID,
      instance_uuid: detail.ID,
      mac_address: detail.MAC,
      project_name: detail.ProjectName,
      user_name: detail.UserName,
      user_remote_address: detail.RemoteAddress,
    };
    assert.deepEqual([method, path], ["POST", "/instances"]);
    assert.deepEqual(JSON.parse(body), created ? record : { instance_uuid: detail.ID });
  },
  assertPreview: assertHttpPreview,
  assertUpdated: ({ method, path, body, headers }, { detail, context }) => {
    assert.deepEqual([method, path], ["POST", "/instances"]);
    assert.match(headers["idempotency-key"] ?? "", /\/update\/\d$/);
    assert.equal(JSON.parse(body).mac_address, detail.MAC);
    assert.notEqual(detail, context.before);
  },
});

testPlugin({
  name: "DirectoryNotify with DELETE",
  openTarget: () => HttpHarness.open(),
  make: ({ url }) => new DirectoryNotify({ logFile: null, url: `${url}/instances?x=1`, methodDeletion: "DELETE" }),
  subjects: ["server"],
  identify: ({ headers }) => headers["idempotency-key"] ?? "",
  assertTaken: ({ method, path, body }, { detail, created }) => {
    if (created) return assert.equal(JSON.parse(body).instance_uuid, detail.ID);
    assert.deepEqual([method, path, body], ["DELETE", `/instances/${detail.ID}?x=1`, ""]);
  },
  assertPreview: assertHttpPreview,
});
