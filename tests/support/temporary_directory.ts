import { join } from "node:path";

/** A directory that goes with the test. */
export class TemporaryDirectory implements Disposable {
  readonly #path: string = Deno.makeTempDirSync({ prefix: "oss-watcher-test-" });

  path(...parts: readonly string[]): string {
    return join(this.#path, ...parts);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.#path, { recursive: true });
  }
}
