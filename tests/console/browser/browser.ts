/**
 * Chromium, and pages that remember whatever must not happen in them.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  type Browser as PlaywrightBrowser,
  type BrowserContext,
  chromium,
  type Locator,
  type Page,
} from "playwright-core";
import type { Role } from "../../../src/console/api.ts";
import { findProgram } from "../../../tools/packages.ts";
import { until } from "../../support/until.ts";
import { CHROMIUM } from "../../../tools/chromium.ts";
import { LONG_MS, type RunningConsole } from "../consoles.ts";

export interface PageOptions {
  readonly width?: number;
  readonly height?: number;
  readonly scheme?: "light" | "dark";
  readonly role?: Role;
  readonly user?: string;
  /** Messages of the browser's console that this test causes on purpose. */
  readonly expected?: RegExp;
  /** As the system's settings say. @default "reduce" */
  readonly motion?: "reduce" | "no-preference";
  /** The system's own few colours. @default false */
  readonly forcedColors?: boolean;
}

export class Browser implements AsyncDisposable {
  readonly #browser: PlaywrightBrowser;

  private constructor(browser: PlaywrightBrowser) {
    this.#browser = browser;
  }

  static async open(): Promise<Browser> {
    const executablePath = findProgram(CHROMIUM);
    if (executablePath === null) throw new Error("Cannot find chromium. Install it: deno run -A tools/install.ts");
    // Root may not use the sandbox; nothing but this service is visited.
    return new Browser(await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] }));
  }

  /** Signs somebody in, as by the link that the command `console` prints. */
  async signIn(console: RunningConsole, options: PageOptions = {}): Promise<WatchedPage> {
    const { width = 1280, height = 800, scheme = "light", role = "operator", user = "anna" } = options;
    const { motion = "reduce", forcedColors = false } = options;
    const context = await this.#browser.newContext({
      viewport: { width, height },
      colorScheme: scheme,
      reducedMotion: motion,
      forcedColors: forcedColors ? "active" : "none",
      serviceWorkers: "block",
    });
    context.setDefaultTimeout(LONG_MS);
    const page = new WatchedPage(await context.newPage(), context, console.url, options.expected);
    await page.page.goto(`${console.url}/sign-in?token=${await console.link(role, user)}`);
    await page.heading("Overview");
    return page;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
  }
}

/** A page that remembers errors, refused loads, and requests to elsewhere. */
export class WatchedPage implements AsyncDisposable {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Clicks so far, by {@linkcode WatchedPage.click}. */
  clicks = 0;
  readonly #url: string;
  readonly #wrong: string[] = [];

  constructor(page: Page, context: BrowserContext, url: string, expected = /(?!)/) {
    this.page = page;
    this.context = context;
    this.#url = url;
    page.on("console", (message) => {
      const text = `${message.text()} ${message.location().url}`;
      if (["error", "warning"].includes(message.type()) && !expected.test(text)) this.#wrong.push(text);
    });
    page.on("pageerror", (error) => this.#wrong.push(`${error.message} ${error.stack}`));
    page.on("dialog", (dialog) => {
      this.#wrong.push(`a dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on("request", (request) => {
      if (!request.url().startsWith(`${url}/`)) this.#wrong.push(`a request to ${request.url().slice(0, 200)}`);
    });
  }

  /** Opens an address of the page, as `#/events`. */
  async open(hash: string, heading: string | RegExp): Promise<void> {
    await this.page.goto(`${this.#url}/${hash}`);
    await this.heading(heading);
  }

  /** Waits for a screen. */
  async heading(name: string | RegExp): Promise<void> {
    await this.page.getByRole("heading", { level: 1, name }).waitFor();
  }

  /** Clicks, and counts it. */
  async click(locator: Locator): Promise<void> {
    await locator.click();
    this.clicks++;
  }

  link(name: string | RegExp): Locator {
    return this.page.getByRole("link", { name });
  }

  button(name: string | RegExp): Locator {
    return this.page.getByRole("button", { name });
  }

  main(): Locator {
    return this.page.locator("main");
  }

  /** Searches with the field of the header. */
  async search(text: string): Promise<void> {
    await this.page.getByRole("searchbox").fill(text);
    await this.page.keyboard.press("Enter");
    await this.heading("Events");
  }

  /** Opens what is closed, also within what is opened by that. */
  async openAll(): Promise<void> {
    const closed = this.page.locator("main details:not([open])");
    await until(async () => {
      await closed.evaluateAll((elements) => elements.forEach((element) => element.setAttribute("open", "")));
      return await closed.count() === 0;
    }, LONG_MS);
  }

  /** @throws {AssertionError} when something happened that must not. */
  assertClean(): void {
    assert.deepEqual(this.#wrong, []);
  }

  /** How much wider the page is than the window. */
  async overflow(): Promise<number> {
    return await this.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.context.close();
  }
}
