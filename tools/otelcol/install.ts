// Builds the OpenTelemetry Collector from its Go modules: Debian has no package of it.
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { bounded } from "../bounded.ts";
import { installOnce } from "../install_once.ts";
import { findProgram, progress } from "../packages.ts";

/** The release that the tests run: that of go.mod. */
export const RELEASE = "0.165.0";
/** The environment variable that names another folder, where there is more room. */
export const FOLDER_VARIABLE = "OSS_WATCHER_OTELCOL";
const FOLDER = "/var/cache/oss-watcher/otelcol";
const SOURCE = dirname(fileURLToPath(import.meta.url));
const LIMIT_MINUTES = 20;

/**
 * Builds it if it is not there: some four minutes on two cores. Gives the program's path.
 *
 * @throws {Error} when it cannot be built here.
 */
export async function installCollector(): Promise<string> {
  const name = `otelcol-${RELEASE}`;
  return (await installOnce({ variable: FOLDER_VARIABLE, folder: FOLDER, name, make: build })).path;
}

async function build(program: string): Promise<void> {
  // Debian's own Go is older than the collector asks for: it takes one of backports, or of its makers.
  const go = findProgram({ program: "go", package: "golang-go", places: ["/usr/local/go/bin/go"] });
  if (go === null) {
    throw new Error("Cannot build the OpenTelemetry Collector: there is no Go. Install Go 1.26 or later");
  }
  progress(`Building the OpenTelemetry Collector ${RELEASE} in ${dirname(program)} …`);
  await bounded({ program: go, args: ["build", "-C", SOURCE, "-ldflags=-s -w", "-o", program, "."] }, LIMIT_MINUTES);
}
