import assert from "node:assert/strict";
import { isShown, Shell, stepsOf } from "./transcript.ts";

for (const document of ["MIGRATING.md", "WRITING_PLUGINS.md"]) {
  Deno.test(`docs/${document} says what happens when a reader follows it`, async () => {
    const markdown = await Deno.readTextFile(new URL(`../../docs/${document}`, import.meta.url));
    const steps = stepsOf(markdown);
    assert.ok(steps.length > 5);
    await using shell = await Shell.open();
    for (const step of steps) {
      if ("file" in step) {
        await shell.write(step.file, step.content);
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

Deno.test("isShown() takes … for anything and nothing else for granted", () => {
  assert.ok(isShown("a\nb\nc", "a\n…c"));
  assert.ok(!isShown("a\nb\nc", "a\n…d"));
  assert.ok(!isShown("a.", "ab"));
});
