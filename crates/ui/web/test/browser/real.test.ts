//! The pages of real servers: `VESTA_BIN` names the program. A pair loses a member; an Alertmanager
//! tells a receiver; the first paint is timed.

import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as listener, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, before } from "node:test";
import type { Browser, Page } from "puppeteer-core";
import { press, sees, start, visit } from "./chromium.js";

const VESTA = process.env.VESTA_BIN;
const PICTURES = join(process.cwd(), "build/pictures");
/** Busy machines are slow; what is waited for is seen long before. */
const LONG_MS = 60_000;

let browser: Browser;
let folder: string;
const running = new Set<ChildProcess>();

before(async () => {
  if (!VESTA) return;
  mkdirSync(PICTURES, { recursive: true });
  browser = await start();
  folder = mkdtempSync(join(tmpdir(), "vesta-pages-"));
});

after(async () => {
  if (!VESTA) return;
  for (const one of running) one.kill("SIGKILL");
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const server = listener();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

async function run(name: string, port: number, args: string[]): Promise<ChildProcess> {
  const log = openSync(join(folder, `${name}.log`), "a");
  const child = spawn(VESTA!, [...args, `--web.listen-address=127.0.0.1:${port}`], { cwd: folder, stdio: ["ignore", log, log] });
  running.add(child);
  child.on("exit", () => running.delete(child));
  for (const until = Date.now() + LONG_MS; Date.now() < until && child.exitCode === null;) {
    const isReady = await fetch(`http://127.0.0.1:${port}/-/ready`).then((answer) => answer.ok, () => false);
    if (isReady) return child;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`${name} did not start: see ${folder}/${name}.log`);
}

async function kill(child: ChildProcess) {
  const gone = new Promise((done) => child.once("exit", done));
  child.kill("SIGKILL");
  await gone;
}

/** The first paint with something in it, in milliseconds from the request; the best of some visits. */
async function firstPaint(url: string): Promise<number> {
  const times: number[] = [];
  for (let visits = 0; visits < 7; visits += 1) {
    await visit(browser, url, async (page) => {
      await page.bringToFront();
      const seen = await page.waitForFunction(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime, { polling: 50, timeout: 10_000 });
      times.push((await seen.jsonValue()) as number);
    });
  }
  times.sort((a, b) => a - b);
  console.log(`first paint of ${new URL(url).pathname}: ${times.map((time) => Math.round(time)).join(", ")} ms`);
  return times[0]!;
}

test("a pair shows its members; one is killed and comes back", { skip: !VESTA && "VESTA_BIN is not set" }, async () => {
  const [a, b, store] = [await freePort(), await freePort(), await freePort()];
  const [gossipA, gossipB, storeA, storeB] = [await freePort(), await freePort(), await freePort(), await freePort()];
  writeFileSync(join(folder, "store.yml"), "global: {}\n");
  writeFileSync(join(folder, "pair.yml"), [
    "global: {scrape_interval: 1s, external_labels: {cluster: shop}}",
    `remote_write: [{name: long-term, url: "http://127.0.0.1:${store}/api/v1/write"}]`,
    "scrape_configs:",
    `  - {job_name: vesta, static_configs: [{targets: ["127.0.0.1:${a}", "127.0.0.1:${b}", "127.0.0.1:${store}"]}]}`,
  ].join("\n"));
  await run("store", store, ["server", "--config.file=store.yml", "--storage.tsdb.path=store", "--web.enable-remote-write-receiver"]);
  const member = (name: string, port: number, gossip: number, read: number) => run(name, port, [
    "server", "--config.file=pair.yml", `--storage.tsdb.path=${name}`, `--cluster.member=${name}`, "--web.page-title=The shop",
    `--cluster.listen-address=127.0.0.1:${gossip}`, `--cluster.store-address=127.0.0.1:${read}`,
    `--cluster.peer=127.0.0.1:${gossipA}`, `--cluster.peer=127.0.0.1:${gossipB}`,
  ]);
  const [, second] = await Promise.all([member("server-a", a, gossipA, storeA), member("server-b", b, gossipB, storeB)]);
  const url = `http://127.0.0.1:${a}`;
  await visit(browser, `${url}/cluster`, async (page) => {
    await sees(page, "2 of 2 live", LONG_MS);
    await sees(page, "long-term", LONG_MS);
    assert.equal(await page.title(), "Cluster · The shop");
    await picture(page, "real-pair");
    await kill(second);
    await sees(page, "1 of 2 live", LONG_MS);
    // Whoever wrote before: now it can only be the one that is left.
    await page.waitForFunction(() => [...document.querySelectorAll("tr")].some((row) => /server-a/.test(row.innerText) && /writes/.test(row.innerText)), { polling: 100, timeout: LONG_MS });
    await picture(page, "real-member-killed");
    await member("server-b", b, gossipB, storeB);
    await sees(page, "2 of 2 live", LONG_MS);
  });
  await visit(browser, `http://127.0.0.1:${b}/cluster`, async (page) => {
    await sees(page, "2 of 2 live", LONG_MS);
    await page.waitForSelector(".time-line");
    await picture(page, "real-member-back");
  });
  await visit(browser, `${url}/query?g0.expr=${encodeURIComponent("sum by (job) (rate(prometheus_http_requests_total[1m]))")}&g0.tab=explain`, async (page) => {
    await sees(page, "rate");
    await page.waitForSelector(".plan tbody tr");
    const parts = await page.$$eval(".plan .part b", (all) => all.map((one) => one.textContent));
    assert.ok(parts.includes("sum") && parts.includes("index"), parts.join());
    await picture(page, "real-explain");
  });
  await visit(browser, `${url}/targets`, async (page) => {
    await sees(page, "3 of 3 up", LONG_MS);
  });
  const paint = await firstPaint(`${url}/query`);
  assert.ok(paint < 200, `the first paint took ${paint} ms`);
});

test("a real Alertmanager says where an alert goes, and how that went", { skip: !VESTA && "VESTA_BIN is not set" }, async () => {
  const webhook = createServer((request, response) => request.resume().on("end", () => response.end("fine")));
  await new Promise<void>((done) => webhook.listen(0, "127.0.0.1", done));
  const hook = `http://127.0.0.1:${(webhook.address() as AddressInfo).port}/`;
  const port = await freePort();
  writeFileSync(join(folder, "alertmanager.yml"), [
    "route: {receiver: team, group_by: [alertname], group_wait: 0s, routes: [{receiver: pager, matchers: ['severity=\"page\"']}]}",
    `receivers: [{name: team}, {name: pager, webhook_configs: [{url: "${hook}"}]}]`,
  ].join("\n"));
  await run("alertmanager", port, ["alertmanager", "--config.file=alertmanager.yml", "--storage.path=alertmanager", "--cluster.listen-address="]);
  const url = `http://127.0.0.1:${port}/`;
  const alerts = JSON.stringify([{ labels: { alertname: "Burning", severity: "page" } }]);
  await fetch(`${url}api/v2/alerts`, { method: "POST", headers: { "content-type": "application/json" }, body: alerts });
  await visit(browser, `${url}#/routes`, async (page) => {
    await page.type("textarea", 'alertname="Burning", severity="page"');
    await sees(page, "takes it");
    assert.equal(await page.$eval(".verdict b", (name) => name.textContent), "pager");
    await picture(page, "real-routes");
  });
  await visit(browser, `${url}#/receivers`, async (page) => {
    await sees(page, "sent", LONG_MS);
    await picture(page, "real-receivers");
  });
  await visit(browser, `${url}#/history`, async (page) => {
    await sees(page, "first notification");
    await picture(page, "real-history");
  });
  await visit(browser, `${url}#/alerts`, async (page) => {
    await sees(page, "Burning");
    await page.click("a.button.small");
    await sees(page, "Matches 1 alert now");
    await page.type('.form input[autocomplete="name"]', "Ada");
    await page.type(".form textarea", "being replaced");
    await page.click(".form .primary");
    await sees(page, "ends in");
    await press(page, "Expire");
    await sees(page, "ended");
  });
  webhook.closeAllConnections();
  webhook.close();
});

async function picture(page: Page, name: string) {
  await page.screenshot({ path: join(PICTURES, `${name}.png`) });
}
