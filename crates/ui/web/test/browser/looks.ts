//! What every page must be, in every look: as wide as the screen, and accessible. A picture of each is kept.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Browser, Page } from "puppeteer-core";
import { PATIENCE, visit, type Look } from "./chromium.js";

const AXE = readFileSync(createRequire(join(process.cwd(), "package.json")).resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"];
const PICTURES = join(process.cwd(), "build/pictures");
const LOOKS: Record<string, Look> = { day: {}, dark: { isDark: true }, narrow: { isNarrow: true } };

export async function picture(page: Page, name: string, fullPage = false) {
  mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage });
}

/** Opens each page by day, by night and on a telephone. */
export async function lookAt(browser: Browser, pages: { name: string; url: string }[]) {
  const wrong: string[] = [];
  let nPassed = 0;
  for (const [look, how] of Object.entries(LOOKS)) {
    // One after the other in one tab: a browser that starts anew for each page takes most of the time for that.
    await visit(browser, pages[0]!.url, async (page) => {
      for (const { name, url } of pages) {
        await page.goto("about:blank");
        await page.goto(url, { waitUntil: "domcontentloaded" });
        await page.waitForFunction(() => document.querySelector("main section, main .empty, main .note") && !document.querySelector('.waiting, .editor-soon, [aria-busy="true"]'), PATIENCE);
        await picture(page, `${name}-${look}`, true);
        const overflow = await page.evaluate(() => document.scrollingElement!.scrollWidth - innerWidth);
        const { violations, passes } = await judge(page);
        const complaints = [...(overflow > 0 ? [`${overflow} pixels too wide`] : []), ...violations];
        wrong.push(...complaints.map((one) => `${name} (${look}): ${one}`));
        nPassed += passes;
      }
    }, how);
  }
  console.log(`axe at A and AA: ${pages.length} pages in ${Object.keys(LOOKS).length} looks, ${nPassed} rules passed, ${wrong.length} violations`);
  assert.deepEqual(wrong, []);
}

interface Axe {
  run: (node: Document, options: object) => Promise<{ violations: { id: string; nodes: { target: string[] }[] }[]; passes: unknown[] }>;
}

async function judge(page: Page): Promise<{ violations: string[]; passes: number }> {
  await page.evaluate(AXE);
  return page.evaluate(async (runOnly) => {
    const found = await (globalThis as unknown as { axe: Axe }).axe.run(document, { runOnly });
    const violations = found.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(" ")).join(", ")}`);
    return { violations, passes: found.passes.length };
  }, RULES);
}
