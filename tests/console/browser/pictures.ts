import { fileURLToPath } from "node:url";
import type { WatchedPage } from "./browser.ts";

const FOLDER = fileURLToPath(new URL("../../../docs/console/", import.meta.url));

/** Whether UPDATE_SCREENSHOTS asks for pictures. */
export const arePicturesWanted = (): boolean => Deno.env.get("UPDATE_SCREENSHOTS") === "1";

/** Writes a picture of the page for the documentation, if UPDATE_SCREENSHOTS asks for it. */
export async function takePicture(page: WatchedPage, name: string, height = 800): Promise<void> {
  if (!arePicturesWanted()) return;
  await page.page.setViewportSize({ width: 1280, height });
  await page.page.evaluate("scrollTo(0, 0)");
  await Deno.mkdir(FOLDER, { recursive: true });
  const session = await page.context.newCDPSession(page.page);
  const { data } = await session.send("Page.captureScreenshot", { format: "webp", quality: 80 });
  await Deno.writeFile(`${FOLDER}${name}.webp`, Uint8Array.fromBase64(data));
}
