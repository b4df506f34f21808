import assert from "node:assert/strict";
import { TestDirectory } from "./directory.ts";

const PROGRAM = new URL("../../deno.json", import.meta.url).pathname;
const EVENTS = `events: { creation: ["compute.instance.create.end"], deletion: [] }`;

/** A config.ts in the editor: what stands in the default export. */
function config(text: string): string {
  return `import type { Config, Detail, Plugin } from "oss-watcher";
import { RestNotify } from "oss-watcher/plugins";
class Mine implements Plugin {
  notify(detail: Detail, created: boolean): void {
    if (created) throw new Error(detail.FQDN ?? "");
  }
}
export const known = [Mine, RestNotify];
export default { ${text} } satisfies Config;
`;
}

/** One run for all of them: it takes seconds. */
const files = {
  "good.ts": config(`${EVENTS}, plugins: [new Mine(), { notify() {} }], rabbit: { watchQueue: "q" }`),
  "misspelt_key.ts": config(`${EVENTS}, plugins: [], rabbit: { watchQueue: "q", prot: 5672 }`),
  "unknown_event.ts": config(`events: { creation: ["compute.instance.create.edn"], deletion: [] }, plugins: []`),
  "event_of_other_group.ts": config(`events: { creation: [], deletion: ["instance.create.end"] }, plugins: []`),
  "no_notify.ts": config(`${EVENTS}, plugins: [{ name: "x", notifi() {} }]`),
  "a_class.ts": config(`${EVENTS}, plugins: [Mine]`),
  "no_plugins.ts": config(EVENTS),
  "no_queue.ts": config(`${EVENTS}, plugins: [], rabbit: { host: "h" }`),
  "two_queues.ts": config(`${EVENTS}, plugins: [], rabbit: { watchQueue: "q", queue: { name: "q" } }`),
  "plugin_option.ts": config(`${EVENTS}, plugins: [new RestNotify({ urlCreation: "/a", urldeletion: "/b" })]`),
};

Deno.test("Config tells the editor what is wrong before anything runs", async () => {
  await using directory = new TestDirectory(files);
  const args = ["check", "--quiet", "--config", PROGRAM, ...Object.keys(files)];
  const command = new Deno.Command(Deno.execPath(), { cwd: directory.path, args, env: { NO_COLOR: "1" } });

  const { stderr } = await command.output();

  const text = new TextDecoder().decode(stderr);
  const refused = Object.keys(files).filter((file) => text.includes(`/${file}:`));
  assert.deepEqual(refused, Object.keys(files).filter((file) => file !== "good.ts"), text);
  assert.match(text, /'prot' does not exist/);
  assert.match(text, /"compute\.instance\.create\.edn"' is not assignable/);
});
