import assert from "node:assert/strict";
import { CloudPublisher } from "../../tools/publisher.ts";
import { startRabbit } from "../../tools/rabbitmq.ts";
import { until } from "../support/until.ts";
import { isShown, Shell, type Step, stepsOf } from "./transcript.ts";

const SAMPLE = new URL("../../samples/compute.instance.create.end.json", import.meta.url);
/** Long enough for a machine that is busy with much else. */
const LONG_MS = 120_000;

for (
  const [document, least] of [
    ["README.md", 3],
    ["docs/CHANGING_A_CONFIG.md", 12],
    ["docs/MIGRATING.md", 6],
    ["docs/OPERATIONS.md", 6],
    ["docs/WRITING_PLUGINS.md", 6],
  ] as const
) {
  Deno.test(`${document} says what happens when a reader follows it`, async () => {
    const markdown = await Deno.readTextFile(new URL(`../../${document}`, import.meta.url));
    const steps = stepsOf(markdown);
    assert.ok(steps.length >= least);
    await using shell = await Shell.open();
    for (const step of steps) {
      if ("file" in step) {
        await shell.write(step.file, step.content);
        continue;
      }
      if ("program" in step) {
        await replay(shell, step);
        continue;
      }
      const output = await shell.run(step.command);
      assert.ok(
        isShown(output, step.shown),
        `line ${step.line}: $ ${step.command}\n--- shown\n${step.shown}\n--- output\n${output}`,
      );
    }
  });
}

/** Plays a program with a cloud: whatever its reader does elsewhere, a server is created. */
async function replay(
  shell: Shell,
  { line, program, happens }: Extract<Step, { readonly program: string }>,
): Promise<void> {
  const given = Deno.env.get("OSS_WATCHER_RABBIT_URL");
  await using rabbit = given === undefined ? await startRabbit() : null;
  const url = rabbit?.url ?? given as string;
  await using publisher = new CloudPublisher(url);
  await publisher.declareExchange("nova", { durable: true });
  const body = await Deno.readTextFile(SAMPLE);
  await using started = shell.start(program, { RABBIT_URL: url });
  for (const event of happens) {
    if (event.startsWith("# ")) {
      await publisher.publish({ exchange: "nova", routingKey: "notifications.info", body });
    } else if (event === "^C") {
      assert.equal((await started.interrupt()).code, 0, started.output);
    } else {
      await until(() => started.output.split("\n").some((text) => isShown(text, event)), LONG_MS)
        .catch(() => assert.fail(`line ${line}: $ ${program}\n--- shown\n${event}\n--- output\n${started.output}`));
    }
  }
}

Deno.test("isShown() takes … for anything and nothing else for granted", () => {
  assert.ok(isShown("a\nb\nc", "a\n…c"));
  assert.ok(!isShown("a\nb\nc", "a\n…d"));
  assert.ok(!isShown("a.", "ab"));
});
