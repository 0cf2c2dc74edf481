//! A real browser: how it is started, what a visit must not complain of, how it is waited for.

import assert from "node:assert/strict";
import { launch, type Browser, type Page } from "puppeteer-core";

export function start(): Promise<Browser> {
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return launch({ executablePath: process.env.CHROMIUM ?? "chromium", args, protocolTimeout: 20_000 });
}

export interface Look {
  isDark?: boolean;
  isNarrow?: boolean;
}

/** Opens a page, lets `use` work with it, and wants nothing to complain meanwhile. */
export async function visit(browser: Browser, url: string, use: (page: Page) => Promise<void>, look: Look = {}) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => message.type() === "error" && !message.text().includes("status of 400") && complaints.push(message.text()));
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

// By a timer: a page that is not in front draws no frames.
export const PATIENCE = { timeout: 5000, polling: 50 };

export const sees = (page: Page, text: string, timeout = PATIENCE.timeout) =>
  page.waitForFunction((wanted) => document.body.innerText.includes(wanted), { ...PATIENCE, timeout }, text);
export const hides = (page: Page, text: string) =>
  page.waitForFunction((unwanted) => !document.body.innerText.includes(unwanted), PATIENCE, text);

/** Clicks the first button in the page whose text begins so. */
export async function press(page: Page, text: string) {
  const find = (wanted: string) => [...document.querySelectorAll<HTMLElement>("main button")].find((one) => one.innerText.trim().startsWith(wanted));
  const button = await page.waitForFunction(find, PATIENCE, text);
  await (button as unknown as { click: () => Promise<void> }).click();
}
