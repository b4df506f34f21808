/** A private authority, made by openssl for one test, and certificates that it signs. */
export class TestPki implements AsyncDisposable {
  readonly #directory: string;
  readonly caFile: string;

  private constructor(directory: string) {
    this.#directory = directory;
    this.caFile = `${directory}/ca.pem`;
  }

  static async make(): Promise<TestPki> {
    const directory = await Deno.makeTempDir({ prefix: "pki-" });
    await openssl(directory, [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"],
      ...["-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Test authority"],
    ]);
    return new TestPki(directory);
  }

  /** A certificate for a name, or what `subjectAltName` says in the words of openssl, with its key. */
  async issue(
    name: string,
    subjectAltName = `DNS:${name}`,
  ): Promise<{ certFile: string; keyFile: string; cert: string; key: string }> {
    await Deno.writeTextFile(
      `${this.#directory}/${name}.ext`,
      `subjectAltName=${subjectAltName}\nbasicConstraints=CA:FALSE\n`,
    );
    await openssl(this.#directory, [
      ...["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
      ...["-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`],
    ]);
    await openssl(this.#directory, [
      ...["x509", "-req", "-in", `${name}.csr`, "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2"],
      ...["-extfile", `${name}.ext`, "-out", `${name}.pem`],
    ]);
    const [certFile, keyFile] = [`${this.#directory}/${name}.pem`, `${this.#directory}/${name}.key`];
    return { certFile, keyFile, cert: await Deno.readTextFile(certFile), key: await Deno.readTextFile(keyFile) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#directory, { recursive: true });
  }
}

async function openssl(cwd: string, args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", { args, cwd, stdout: "null", stderr: "piped" })
    .output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}
