/** A directory for one test, with files in it. */
export class TestDirectory implements AsyncDisposable {
  readonly path: string;

  constructor(files: Readonly<Record<string, string>>) {
    this.path = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "config-" }));
    for (const [name, text] of Object.entries(files)) {
      const file = this.file(name);
      Deno.mkdirSync(file.slice(0, file.lastIndexOf("/")), { recursive: true });
      Deno.writeTextFileSync(file, text);
    }
  }

  file(name: string): string {
    return `${this.path}/${name}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}
