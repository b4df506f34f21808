import { createHash } from "node:crypto";

/** What browsers are told of files, by their ends. Other files are not served. */
const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
  png: "image/png",
  ico: "image/x-icon",
  woff2: "font/woff2",
  txt: "text/plain; charset=utf-8",
  webmanifest: "application/manifest+json",
};

interface Asset {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** `null`: it does not become smaller. */
  readonly zipped: Uint8Array<ArrayBuffer> | null;
  readonly etag: string;
}

/** A file of the page: read when it is first asked for. */
interface KnownFile {
  readonly url: URL;
  readonly type: string;
  asset?: Promise<Asset>;
}

/** The page's files, by a list that is made once: no path of a request reaches the file system. */
export class Assets {
  readonly #files: ReadonlyMap<string, KnownFile>;

  private constructor(files: ReadonlyMap<string, KnownFile>) {
    this.#files = files;
  }

  static async open(folder: URL): Promise<Assets> {
    const files = new Map<string, KnownFile>();
    await listFolder(folder, "/", files);
    const index = files.get("/index.html");
    if (index !== undefined) files.set("/", index);
    return new Assets(files);
  }

  async answer(request: Request): Promise<Response> {
    const file = this.#files.get(new URL(request.url).pathname);
    if (file === undefined) {
      return Response.json({ error: "Cannot find this page: there is none of this name" }, { status: 404 });
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      const error = "Cannot answer this method here: use GET, HEAD";
      return Response.json({ error }, { status: 405, headers: { allow: "GET, HEAD" } });
    }
    const { bytes, zipped, etag } = await (file.asset ??= readAsset(file.url));
    // Asked for again each time: an upgrade must not mix files of two releases.
    const headers = { "content-type": file.type, etag, "cache-control": "no-cache", vary: "accept-encoding" };
    const known = request.headers.get("if-none-match")?.split(/,\s*/).map((tag) => tag.replace(/^W\//, "")) ?? [];
    if (known.includes(etag)) return new Response(null, { status: 304, headers });
    const isZipped = zipped !== null && /\bgzip\b/.test(request.headers.get("accept-encoding") ?? "");
    return new Response(isZipped ? zipped : bytes, {
      headers: isZipped ? { ...headers, "content-encoding": "gzip" } : headers,
    });
  }
}

async function listFolder(folder: URL, path: string, files: Map<string, KnownFile>): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) await listFolder(new URL(`${name}/`, folder), `${path}${name}/`, files);
    const type = TYPES[/\.(\w+)$/.exec(name)?.[1] ?? ""];
    if (type === undefined || isDirectory) continue;
    files.set(`${path}${name}`, { url: new URL(name, folder), type });
  }
}

async function readAsset(url: URL): Promise<Asset> {
  const bytes = await Deno.readFile(url);
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  const zipped = new Uint8Array(await new Response(stream).arrayBuffer());
  const etag = `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`;
  return { bytes, zipped: zipped.length < bytes.length ? zipped : null, etag };
}
