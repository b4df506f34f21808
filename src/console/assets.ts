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
  readonly type: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** `null`: it does not become smaller. */
  readonly zipped: Uint8Array<ArrayBuffer> | null;
  readonly etag: string;
}

/** The page's files, read once. No path of a request reaches the file system. */
export class Assets {
  readonly #files: ReadonlyMap<string, Asset>;

  private constructor(files: ReadonlyMap<string, Asset>) {
    this.#files = files;
  }

  static async read(folder: URL): Promise<Assets> {
    const files = new Map<string, Asset>();
    await readFolder(folder, "/", files);
    const index = files.get("/index.html");
    if (index !== undefined) files.set("/", index);
    return new Assets(files);
  }

  /** Answers GET and HEAD. */
  answer(request: Request): Response {
    const { pathname } = new URL(request.url);
    const asset = this.#files.get(pathname);
    if (asset === undefined) {
      return Response.json({ error: "Cannot find this page: there is none of this name" }, { status: 404 });
    }
    const { type, bytes, zipped, etag } = asset;
    // Read again whenever it has changed: an upgrade must not mix files of two releases.
    const headers = { "content-type": type, etag, "cache-control": "no-cache", vary: "accept-encoding" };
    const known = request.headers.get("if-none-match")?.split(/,\s*/).map((tag) => tag.replace(/^W\//, "")) ?? [];
    if (known.includes(etag)) return new Response(null, { status: 304, headers });
    const isZipped = zipped !== null && /\bgzip\b/.test(request.headers.get("accept-encoding") ?? "");
    return new Response(isZipped ? zipped : bytes, {
      headers: isZipped ? { ...headers, "content-encoding": "gzip" } : headers,
    });
  }
}

async function readFolder(folder: URL, path: string, files: Map<string, Asset>): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) await readFolder(new URL(`${name}/`, folder), `${path}${name}/`, files);
    const type = TYPES[/\.(\w+)$/.exec(name)?.[1] ?? ""];
    if (type === undefined || isDirectory || name.endsWith(".d.ts")) continue;
    files.set(`${path}${name}`, await assetOf(await Deno.readFile(new URL(name, folder)), type));
  }
}

async function assetOf(bytes: Uint8Array<ArrayBuffer>, type: string): Promise<Asset> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  const zipped = new Uint8Array(await new Response(stream).arrayBuffer());
  const etag = `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`;
  return { type, bytes, zipped: zipped.length < bytes.length ? zipped : null, etag };
}
