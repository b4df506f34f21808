import { join } from "node:path";

/** Where nothing waits for a disk, on most systems. */
const IN_MEMORY = "/dev/shm";

/** A directory that goes with the test. */
export class TemporaryDirectory implements Disposable {
  readonly #path: string = Deno.makeTempDirSync({
    prefix: "oss-watcher-test-",
    ...(isDirectory(IN_MEMORY) ? { dir: IN_MEMORY } : {}),
  });

  path(...parts: readonly string[]): string {
    return join(this.#path, ...parts);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.#path, { recursive: true });
  }
}

function isDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}
