import { join } from "node:path";

const BLOCK = new Uint8Array(4096);

/** A file system in memory that can be filled up, and emptied again. */
export class TmpfsDisk implements AsyncDisposable {
  readonly dir: string;

  private constructor(dir: string) {
    this.dir = dir;
  }

  /** Whether this machine lets us mount. */
  static async isAllowed(): Promise<boolean> {
    try {
      await using _disk = await TmpfsDisk.mount(1);
      return true;
    } catch {
      return false;
    }
  }

  /** @throws {Error} where mounting is refused. */
  static async mount(sizeMib: number): Promise<TmpfsDisk> {
    const dir = await Deno.makeTempDir({ prefix: "oss-watcher-disk-" });
    if (await succeeds("mount", "-t", "tmpfs", "-o", `size=${sizeMib}m,mode=0755`, "tmpfs", dir)) {
      return new TmpfsDisk(dir);
    }
    await Deno.remove(dir);
    throw new Error("Cannot mount a tmpfs");
  }

  /** Leaves no block. */
  async fill(): Promise<void> {
    using ballast = await Deno.open(this.#ballast, { create: true, append: true });
    try {
      for (;;) await ballast.write(BLOCK);
    } catch (error) {
      if (!(error instanceof Error) || !/os error 28/.test(error.message)) throw error;
    }
  }

  async empty(): Promise<void> {
    await Deno.remove(this.#ballast);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await succeeds("umount", this.dir);
    await Deno.remove(this.dir);
  }

  get #ballast(): string {
    return join(this.dir, "ballast");
  }
}

async function succeeds(command: string, ...args: readonly string[]): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(command, { args: [...args], stdout: "null", stderr: "null" }).output();
    return success;
  } catch {
    return false;
  }
}
