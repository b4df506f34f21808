/** How long the browser has to read the file that leads to the address. */
const READING_MS = 5000;

/**
 * Opens an address in a browser where there is one. It leads there from a file of this user's: what
 * is on a command line, others can read. Whether it worked does not matter.
 */
export async function openBrowser(url: string): Promise<void> {
  const program = browserOpener();
  if (program === null) return;
  const file = await Deno.makeTempFile({ prefix: "oss-watcher-console-", suffix: ".html" });
  try {
    const page = `<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer">` +
      `<title>oss-watcher</title><meta http-equiv="refresh" content="0;url=${url}">\n`;
    await Deno.writeTextFile(file, page);
    const { success } = await new Deno.Command(program, { args: [file], stdout: "null", stderr: "null" }).output();
    if (success) await new Promise((resolve) => setTimeout(resolve, READING_MS));
  } catch {
    // There is none, or this program may not start it.
  } finally {
    await Deno.remove(file).catch(() => {});
  }
}

/** The program that opens what the desktop opens; `null`: there is no desktop. */
function browserOpener(): string | null {
  if (Deno.build.os === "darwin") return "open";
  const hasDesktop = Deno.build.os === "linux" && ["DISPLAY", "WAYLAND_DISPLAY"].some((name) => Deno.env.get(name));
  return hasDesktop ? "xdg-open" : null;
}
