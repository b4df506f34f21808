/** What a script of Python 3 prints as JSON, given JSON on its standard input. */
export async function python3(script: string, input: unknown): Promise<unknown> {
  const args = ["-c", script];
  const child = new Deno.Command("python3", { args, stdin: "piped", stdout: "piped", stderr: "piped" }).spawn();
  const [{ success, stdout, stderr }] = await Promise.all([child.output(), write(child.stdin, JSON.stringify(input))]);
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

async function write(stream: WritableStream<Uint8Array>, text: string): Promise<void> {
  const writer = stream.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
}
