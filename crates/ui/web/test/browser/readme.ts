//! The pictures of the README, made from a demo: `VESTA_BIN=… npm run pictures`, about seven minutes.
//!
//! It waits for what makes them worth looking at: some history, and the till that jams every five minutes.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Page } from "puppeteer-core";
import { sees, start, visit, type Look } from "./chromium.js";
import { shrink } from "./png.js";

const IMAGES = join(process.cwd(), "../../../docs/images");
const BYTES_MAX = 150_000;
const HISTORY_MS = 6 * 60_000;
const BASE = 19_490;
const [SERVER_A, ALERTMANAGER_A] = [`http://127.0.0.1:${BASE}/`, `http://127.0.0.1:${BASE + 3}/`];

const FAILING = 'sum by (path) (rate(shop_requests_total{code=~"5.."}[1m])) / sum by (path) (rate(shop_requests_total[1m]))';
const TAIL = "histogram_quantile(0.95, sum by (path, le) (rate(shop_request_duration_seconds_bucket[1m])))";

interface Picture {
  name: string;
  url: string;
  height: number;
  look?: Look;
  ready: (page: Page) => Promise<unknown>;
}

const query = (expr: string, rest: string) => `${SERVER_A}query?g0.expr=${encodeURIComponent(expr)}&g0.range_input=5m&${rest}`;

const ALL: Picture[] = [
  // The first is made while the till is jammed, as this one shows it.
  { name: "alerts", url: `${ALERTMANAGER_A}#/alerts?silenced=true`, height: 320, look: { isDark: true }, ready: (page) => sees(page, "ShopErrors") },
  { name: "query", url: query(TAIL, "g0.tab=graph"), height: 620, ready: (page) => page.waitForSelector(".legend button") },
  { name: "explain", url: query(FAILING, "g0.tab=explain"), height: 620, look: { isDark: true }, ready: (page) => page.waitForSelector(".plan tbody tr") },
  { name: "cluster", url: `${SERVER_A}cluster`, height: 640, ready: (page) => sees(page, "2 of 2 live") },
];

const data = mkdtempSync(join(tmpdir(), "vesta-demo-"));
const demo = spawn(resolve(process.env.VESTA_BIN!), ["demo", `--port-base=${BASE}`, `--data=${data}`], { stdio: "inherit" });
const browser = await start();
try {
  await history();
  for (const picture of ALL) {
    const bytes = await shrink(browser, await take(picture));
    writeFileSync(join(IMAGES, `${picture.name}.png`), bytes);
    console.log(`${picture.name}.png: ${bytes.length} bytes, of at most ${BYTES_MAX}`);
    if (bytes.length > BYTES_MAX) process.exitCode = 1;
  }
} finally {
  await browser.close();
  const gone = new Promise((done) => demo.once("exit", done));
  demo.kill("SIGINT");
  await gone;
  rmSync(data, { recursive: true });
}

async function history() {
  const until = Date.now() + HISTORY_MS;
  for (;;) {
    if (demo.exitCode !== null) throw new Error("the demo has ended");
    const burns = await fetch(`${ALERTMANAGER_A}api/v2/alerts?filter=alertname%3DShopErrors`).then((answer) => answer.json(), () => []) as unknown[];
    if (burns.length > 0 && Date.now() >= until) return;
    await new Promise((done) => setTimeout(done, 1000));
  }
}

async function take({ url, height, look = {}, ready }: Picture): Promise<Uint8Array> {
  let bytes: Uint8Array | undefined;
  await visit(browser, url, async (page) => {
    await page.setViewport({ width: 1200, height });
    await ready(page);
    await page.waitForFunction(() => !document.querySelector('.waiting, .editor-soon, [aria-busy="true"]'));
    bytes = await page.screenshot();
  }, look);
  return bytes!;
}
