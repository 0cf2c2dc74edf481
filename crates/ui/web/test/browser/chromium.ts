//! A real browser: how it is started, what a visit must not complain of, how it is waited for.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { launch, type Browser, type Page } from "puppeteer-core";

export function start(): Promise<Browser> {
  // Root, and containers with little shared memory, are what CI has.
  const args = ["--disable-dev-shm-usage", ...(process.getuid?.() === 0 ? ["--no-sandbox"] : [])];
  return launch({ executablePath: process.env.CHROMIUM ?? installed(), args, protocolTimeout: 120_000 });
}

function installed(): string {
  const names = ["chromium", "chromium-browser", "google-chrome"];
  const paths = (process.env.PATH ?? "").split(":").flatMap((folder) => names.map((name) => join(folder, name)));
  const found = paths.find((path) => existsSync(path));
  if (!found) throw new Error("no Chromium here: CHROMIUM may name one");
  return found;
}

/** How a page is looked at. */
export interface Look {
  isDark?: boolean;
  isNarrow?: boolean;
  /** The server is not there for a while: that the browser complains of it is no fault of the page. */
  isCutOff?: boolean;
}

/** Opens a page, lets `use` work with it, and wants nothing to complain meanwhile. */
export async function visit(browser: Browser, url: string, use: (page: Page) => Promise<void>, look: Look = {}) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    const text = message.text();
    const isExpected = text.includes("status of 400") || (look.isCutOff && /net::ERR_|status of 503/.test(text));
    if (message.type() === "error" && !isExpected) complaints.push(text);
  });
  page.setDefaultTimeout(PATIENCE.timeout);
  page.on("dialog", (dialog) => void dialog.accept());
  await page.setViewport(look.isNarrow ? { width: 390, height: 844 } : { width: 1360, height: 860 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: look.isDark ? "dark" : "light" }]);
  try {
    await page.goto(url, { waitUntil: "domcontentloaded" });
    await page.waitForSelector("main");
    await use(page);
  } finally {
    await context.close();
  }
  assert.deepEqual(complaints, [], url);
}

// By a timer: a page that is not in front draws no frames. Busy machines are slow; what is waited for is seen long before.
export const PATIENCE = { timeout: 60_000, polling: 50 };

export const sees = (page: Page, text: string) =>
  page.waitForFunction((wanted) => document.body.innerText.includes(wanted), PATIENCE, text);
export const hides = (page: Page, text: string) =>
  page.waitForFunction((unwanted) => !document.body.innerText.includes(unwanted), PATIENCE, text);

/** Clicks the first button in the page whose text begins so. */
export async function press(page: Page, text: string) {
  const find = (wanted: string) => [...document.querySelectorAll<HTMLElement>("main button")].find((one) => one.innerText.trim().startsWith(wanted));
  const button = await page.waitForFunction(find, PATIENCE, text);
  await (button as unknown as { click: () => Promise<void> }).click();
}

/** What is in the query box, which is a shadow root. */
export const inEditor = (page: Page, find: (editor: ShadowRoot) => unknown) =>
  page.waitForFunction(`(${find})(document.querySelector(".editor")?.shadowRoot ?? document.createElement("p"))`, PATIENCE);

/** Puts the cursor into the query box, once it is there. */
export async function enterEditor(page: Page) {
  await inEditor(page, (editor) => editor.querySelector(".cm-content"));
  await page.click(".editor");
}
