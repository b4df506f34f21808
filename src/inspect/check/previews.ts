import type { LoadedConfig } from "../../config/load_config.ts";
import { pluginsByName } from "../../config/plugins_by_name.ts";
import type { Finding } from "../../model/finding.ts";
import type { Json } from "../../model/notification.ts";
import type { Logger } from "../../model/plugin.ts";
import { readDocuments } from "../../runtime/documents.ts";
import { DryRun } from "../../runtime/dry_run.ts";

const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/**
 * Warnings about the requests that plugins would send for a recorded server, where they are hardly
 * intended.
 */
export async function checkPreviews(
  loaded: LoadedConfig,
  { sample }: { readonly sample: Uint8Array },
): Promise<readonly Finding[]> {
  const { config, pluginNames } = loaded;
  const plugins = pluginsByName(loaded);
  const events = { creation: ["instance.create.end"], deletion: ["instance.delete.end"] } as const;
  const run = new DryRun({ config: { ...config, events }, plugins, log: () => SILENT });
  const [document] = await readDocuments(sample);
  if (document === undefined || "refused" in document.decoded) throw new TypeError("Cannot read the sample");
  const { plugins: previews } = await run.take(document.decoded.notification);
  return previews.flatMap(({ name, preview, error }): Finding[] => {
    const key = `plugins[${pluginNames.indexOf(name)}] ${name}`;
    if (error !== undefined) return [{ level: "warning", key, text: `its preview of a server fails: ${error}` }];
    return suspiciousAddresses(preview).map((text) => ({ level: "warning", key, text }));
  });
}

/** Suspicious addresses of a request. Nothing else in a preview is checked. */
function suspiciousAddresses(preview: Json): readonly string[] {
  if (typeof preview !== "object" || preview === null || !("url" in preview)) return [];
  const { url, headers } = preview as { readonly url: Json; readonly headers?: Json };
  if (typeof url !== "string" || !URL.canParse(url)) return [];
  const { protocol, port, hostname, host } = new URL(url);
  const isLocal = /^(?:localhost|127\.[\d.]+|\[::1\])$/.test(hostname);
  const knowsUs = typeof headers === "object" && headers !== null && "authorization" in headers;
  return [
    ...(protocol === "https:" && port === "80"
      ? [`https:// to port 80 of ${host}: TLS to the port of plain HTTP. ${PORT}`]
      : []),
    ...(protocol === "http:" && port === "443"
      ? [`http:// to port 443 of ${host}: no TLS to the port of HTTPS. ${PORT}`]
      : []),
    ...(protocol === "http:" && knowsUs && !isLocal
      ? [`http:// to ${host} carries credentials that anybody on the network path can read. Use https://`]
      : []),
  ];
}

const PORT = "If that is not intended, correct host or port";
