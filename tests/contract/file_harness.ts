import type { Behaviour, TargetHarness } from "oss-watcher/testing";

/** What a file cannot do. */
export const FILE_CANNOT: Readonly<Partial<Record<Behaviour, string>>> = {
  down: "a file is not connected to",
  breaks: "a file is not connected to",
  hangs: "a disk answers, or fails",
  unauthorized: "a file knows no accounts",
  busy: "a file does not ask for patience",
  refuses: "a file takes any line",
};

/** A file, in a directory of its own, that gets lines. It fails when a directory is in its place. */
export class FileHarness implements TargetHarness<string> {
  readonly #directory = Deno.makeTempDirSync({ prefix: "file-harness-" });
  readonly file = `${this.#directory}/events.log`;

  behave(behaviour: Behaviour): void {
    this.taken();
    if (behaviour === "fails") Deno.mkdirSync(this.file);
  }

  reached(): Promise<void> {
    return Promise.resolve();
  }

  /** The lines since the last call; what has no end counts as a line, too. */
  taken(): readonly string[] {
    try {
      const text = Deno.readTextFileSync(this.file);
      return text === "" ? [] : text.replace(/\n$/, "").split("\n");
    } catch {
      return [];
    } finally {
      // As logrotate does.
      try {
        Deno.removeSync(this.file);
      } catch {
        // There is none yet.
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#directory, { recursive: true });
  }
}
