import { until } from "./until.ts";

/** Writes each datagram as one line of JSON: who sent it, by the kernel's word, and what. */
const RECEIVER = `
import json, os, socket, struct, sys
address = sys.argv[1]
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind("\\0" + address[1:] if address.startswith("@") else address)
receiver.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
print("ready", flush=True)
while True:
    data, ancillary, _, _ = receiver.recvmsg(4096, socket.CMSG_SPACE(12))
    pid = struct.unpack("iii", ancillary[0][2])[0]
    print(json.dumps({"pid": pid, "text": data.decode()}), flush=True)
`;

/** What systemd would receive at `NOTIFY_SOCKET`, in a process of its own. */
export class NotifySocket implements AsyncDisposable {
  /** What a service finds in its environment. */
  readonly address: string;
  #output = "";
  readonly #child: Deno.ChildProcess;
  readonly #drained: Promise<void>;

  private constructor(address: string) {
    this.address = address;
    const args = ["-c", RECEIVER, address];
    this.#child = new Deno.Command("python3", { args, stdin: "null", stdout: "piped" }).spawn();
    this.#drained = this.#drain();
  }

  /** @param address A path, or `@` and a name. */
  static async open(address: string): Promise<NotifySocket> {
    const socket = new NotifySocket(address);
    await until(() => socket.#output.startsWith("ready\n"));
    return socket;
  }

  /** All that came so far. */
  get received(): readonly { readonly pid: number; readonly text: string }[] {
    return this.#output.split("\n").slice(1, -1).map((line) => JSON.parse(line));
  }

  get texts(): readonly string[] {
    return this.received.map(({ text }) => text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
    await this.#drained;
  }

  async #drain(): Promise<void> {
    for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) this.#output += text;
  }
}
