//! The pages in a real browser. `CHROMIUM` names it; pictures go to `build/pictures`.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import test, { after, before } from "node:test";
import type { Browser, Page } from "puppeteer-core";
import * as answers from "./answers.js";
import { hides, PATIENCE, press, sees, start, visit as visitWith, type Look } from "./chromium.js";
import { serve, type Site } from "./server.js";

const AXE = readFileSync(createRequire(join(process.cwd(), "package.json")).resolve("axe-core/axe.min.js"), "utf8");
const PICTURES = join(process.cwd(), "build/pictures");
const ALL = [
  "query", "query?g0.expr=x&g0.tab=table&g0.show_tree=1", "query?g0.expr=x&g0.tab=graph", "query?g0.expr=x&g0.tab=explain", "alerts", "rules", "targets",
  "query?g0.expr=x&g0.tab=graph&g0.show_exemplars=1&g0.display_mode=stacked", "query?g0.expr=native&g0.tab=graph", "query?g0.expr=classic&g0.tab=graph&g0.display_mode=heatmap",
  "service-discovery", "tsdb-status", "cluster", "status", "flags", "config", "alertmanager-discovery", "features",
];
const ALL_ALERTMANAGER = ["#/alerts", "#/silences", "#/silences/new?filter=%7Bpath%3D%22%2Fpay%22%7D", "#/routes", "#/routes?labels=severity%3D%22page%22", "#/receivers", "#/history", "#/cluster", "#/status"];

let browser: Browser;
let server: Site;
let alertmanager: Site;

before(async () => {
  mkdirSync(PICTURES, { recursive: true });
  browser = await start();
  server = await serve("server", answers.server);
  alertmanager = await serve("alertmanager", answers.alertmanager());
});

after(async () => {
  await browser.close();
  server.close();
  alertmanager.close();
});

const visit = (url: string, use: (page: Page) => Promise<void>, look: Look = {}) => visitWith(browser, url, use, look);

test("a query that is typed fast is answered, and stands in the address", () =>
  visit(`${server.url}query`, async (page) => {
    await page.click(".editor");
    await page.keyboard.type("sum(rate(requests_total[5m]))", { delay: 1 });
    await page.keyboard.press("Escape");
    await page.keyboard.press("Enter");
    await sees(page, "2 series");
    assert.equal(new URL(page.url()).searchParams.get("g0.expr"), "sum(rate(requests_total[5m]))");
    assert.equal(await page.$$eval(".results .value", (cells) => cells.map((cell) => cell.textContent).join()), "40,41");
    assert.equal(await page.$(".results b"), null, "labels are no markup");
  }));

test("names of metrics are proposed", () =>
  visit(`${server.url}query`, async (page) => {
    await page.click(".editor");
    await page.keyboard.type("req", { delay: 20 });
    await page.waitForFunction(() => document.querySelector(".editor")!.shadowRoot!.querySelector(".cm-tooltip-autocomplete")?.textContent?.includes("requests_total"), PATIENCE);
    // It takes no key for the first moments, so that it is not taken by mistake.
    await new Promise((done) => setTimeout(done, 200));
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.querySelector(".editor")!.shadowRoot!.querySelector(".cm-content")!.textContent === "requests_total", PATIENCE);
  }));

test("a wrong query is underlined, and the server's words are shown", () =>
  visit(`${server.url}query`, async (page) => {
    await page.click(".editor");
    await page.keyboard.type("rate(x)");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Enter");
    await sees(page, "expected type range vector");
    await page.waitForFunction(() => document.querySelector(".editor")!.shadowRoot!.querySelector(".cm-lintRange-error"), PATIENCE);
  }));

test("old links draw graphs; the list below chooses among the lines", () =>
  visit(`${server.url}query?g0.expr=x&g0.tab=0&g0.stacked=1&g0.range_input=30m&g1.expr=y&g1.tab=1`, async (page) => {
    await page.waitForSelector(".plot canvas");
    assert.equal((await page.$$(".query-panel")).length, 2);
    const pressed = () => page.$$eval(".legend button", (all) => all.map((one) => one.getAttribute("aria-pressed")).join());
    await page.click(".legend button");
    await page.waitForFunction(() => document.querySelectorAll('.legend button[aria-pressed="false"]').length === 1, PATIENCE);
    assert.equal(await pressed(), "true,false");
    await page.click(".legend button");
    await page.waitForFunction(() => !document.querySelector('.legend button[aria-pressed="false"]'), PATIENCE);
    await page.click('[aria-label="Range: longer"]');
    await page.waitForFunction(() => location.search.includes("g0.range_input=1h"), PATIENCE);
  }));

test("a query is formatted, duplicated, drawn as a tree, remembered", () =>
  visit(`${server.url}query?g0.expr=x`, async (page) => {
    await press(page, "Tree");
    await page.waitForSelector(".tree");
    await press(page, "Format");
    await page.waitForFunction(() => document.querySelector(".editor")!.shadowRoot!.querySelector(".cm-content")!.textContent!.includes("formatted("), PATIENCE);
    await press(page, "Run");
    await press(page, "Duplicate");
    await page.waitForFunction(() => document.querySelectorAll(".query-panel").length === 2, PATIENCE);
    await press(page, "History");
    await page.waitForSelector("dialog .picks button");
  }));

test("twenty thousand series are cut, with a word about it", () =>
  visit(`${server.url}query?g0.expr=many`, async (page) => {
    await sees(page, "20,000 series; the first 500 are shown.");
    assert.equal((await page.$$(".results tbody tr")).length, 500);
  }));

test("filters narrow the lists down", async () => {
  const check = (path: string, choice: string, shown: string, hidden: string) =>
    visit(server.url + path, async (page) => {
      await sees(page, shown);
      await sees(page, hidden);
      await press(page, choice);
      await hides(page, hidden);
      await sees(page, shown);
    });
  await check("targets", "down", "connection refused", "http://a:1/metrics");
  await check("alerts", "firing", "Burning", "Quiet");
  await check("rules", "err", "vector cannot contain metrics", "Burning");
  await check("service-discovery", "dropped", "c:1", "a:1");
});

test("flags are searched; a pool shows its configuration, and relabelling step by step", async () => {
  await visit(`${server.url}targets`, async (page) => {
    await press(page, "Configuration");
    await sees(page, "job_name: good");
  });
  await visit(`${server.url}flags`, async (page) => {
    await sees(page, "--config.file");
    await page.type(".search", "page-title");
    await hides(page, "--config.file");
  });
  await visit(`${server.url}service-discovery`, async (page) => {
    await press(page, "Steps");
    await sees(page, "dropped here");
  });
});

test("samples are deleted only where the server takes that", () =>
  visit(`${server.url}tsdb-status`, async (page) => {
    await sees(page, "1,234");
    await page.type(".search", '{job="old"}');
    await press(page, "Delete series");
    await sees(page, 'Deleted: {job="old"}');
    assert.equal(server.calls.find((call) => call.path === "admin/tsdb/delete_series")?.params.get("match[]"), '{job="old"}');
  }));

test("a silence is made from an alert, seen, changed, and ended", () =>
  visit(`${alertmanager.url}`, async (page) => {
    await sees(page, "Burning");
    assert.equal(await page.$('a[href^="javascript"]'), null, "sources are links to the web or none");
    await page.click("a.button.small");
    await sees(page, "Matches 1 alert now");
    await page.type('.form input[autocomplete="name"]', "Ada");
    await page.type(".form textarea", "The till is being replaced");
    await page.click(".form .primary");
    await sees(page, "ends in");
    assert.match(page.url(), /#\/silences\/one$/);
    const posted = JSON.parse(alertmanager.calls.find((call) => call.method === "POST")!.body) as { matchers: unknown[]; createdBy: string };
    assert.deepEqual(posted.matchers[1], { name: "path", value: "/pay", isRegex: false, isEqual: true });
    assert.equal(posted.createdBy, "Ada");
    await page.click("a.button.small");
    await page.waitForSelector(".form textarea");
    await press(page, "8h");
    await page.click(".form .primary");
    await sees(page, "ends in");
    const changed = JSON.parse(alertmanager.calls.findLast((call) => call.method === "POST")!.body) as { id: string; startsAt: string; endsAt: string };
    assert.equal(changed.id, "one");
    assert.equal(Date.parse(changed.endsAt) - Date.parse(changed.startsAt), 8 * 3600_000);
    await press(page, "Expire");
    await sees(page, "ended");
  }));

test("a plan is drawn with its costs, below it the expression", () =>
  visit(`${server.url}query?g0.expr=x`, async (page) => {
    await press(page, "Run");
    await page.evaluate(() => [...document.querySelectorAll<HTMLElement>('[role="tab"]')].find((one) => one.innerText === "Explain")!.click());
    await sees(page, "[5m] {__name__=\"requests_total\"}");
    const parts = await page.$$eval(".plan .part b", (all) => all.map((one) => one.textContent).join());
    assert.equal(parts, "query,sum,rate,window,index");
    const itself = await page.$$eval(".plan tbody tr", (rows) => rows.map((row) => row.children[4]!.textContent).join());
    assert.equal(itself, "400µs,1.5ms,400µs,9.9ms,200µs");
    await page.waitForSelector(".tree");
  }));

test("exemplars are asked for, drawn and listed", () =>
  visit(`${server.url}query?g0.expr=x&g0.tab=graph`, async (page) => {
    await page.waitForSelector(".plot canvas");
    await press(page, "Exemplars");
    await sees(page, "1 exemplar");
    assert.equal(new URL(page.url()).searchParams.get("g0.show_exemplars"), "1");
    await page.evaluate(() => document.querySelector<HTMLElement>(".fold summary")!.click());
    await sees(page, "a1b2c3");
  }));

test("native histograms are a heat map by themselves, classic ones on demand", async () => {
  await visit(`${server.url}query?g0.expr=native&g0.tab=graph`, async (page) => {
    await page.waitForSelector('[aria-label^="Heat map of 1 series: 23 buckets"] canvas');
    const box = (await (await page.$(".plot"))!.boundingBox())!;
    await page.mouse.move(box.x + box.width / 2, box.y + 150);
    await page.waitForSelector(".tip .mono");
  });
  await visit(`${server.url}query?g0.expr=classic&g0.tab=graph`, async (page) => {
    await page.waitForSelector(".legend");
    await press(page, "Heat map");
    await page.waitForSelector('[aria-label^="Heat map of 4 series: 4 buckets"] canvas');
    assert.equal(new URL(page.url()).searchParams.get("g0.display_mode"), "heatmap");
  });
  await visit(`${server.url}query?g0.expr=x&g0.tab=graph&g0.display_mode=heatmap`, (page) => sees(page, "There is neither in this answer").then(() => {}));
});

test("a member that dies is seen, and who writes then; a server alone says so", async () => {
  await visit(`${server.url}cluster`, async (page) => {
    await sees(page, "3 of 3 live");
    answers.world.isOtherLive = false;
    try {
      await sees(page, "2 of 3 live");
      await sees(page, "1 gap");
      assert.equal(await page.$$eval(".time-line .bad", (all) => all.length), 1);
      const states = await page.$$eval("table tbody tr", (rows) => rows.slice(0, 3).map((row) => (row.children[1] as HTMLElement).innerText.replace(/\s+/g, " ")).join("; "));
      assert.equal(states, "live writes; away; live other configuration");
    } finally {
      answers.world.isOtherLive = true;
    }
  });
  answers.world.isAlone = true;
  try {
    await visit(`${server.url}cluster`, (page) => sees(page, "This server stands alone").then(() => {}));
  } finally {
    answers.world.isAlone = false;
  }
});

test("what makes so many series is found label by label", () =>
  visit(`${server.url}tsdb-status`, async (page) => {
    await sees(page, "all else");
    assert.equal(await page.$$eval(".time-line .plain", (all) => all.length), 8);
    await page.click(".bars button");
    await sees(page, "2 series of the last hour");
    await page.click("dialog .picks button");
    await sees(page, "‹ Back");
  }));

test("notifications of the server come by themselves", () =>
  visit(`${server.url}query`, async (page) => {
    await page.waitForSelector(".bell summary");
    await page.click(".bell summary");
    await sees(page, "Configuration reload has failed.");
  }));

test("labels that are pasted show their way through the routes", () =>
  visit(`${alertmanager.url}#/routes`, async (page) => {
    await sees(page, "all alerts");
    await page.type("textarea", "severity: page\npath: /pay");
    await page.waitForFunction(() => document.querySelector<HTMLElement>(".verdict")?.innerText.includes('path="/pay"'), PATIENCE);
    assert.match(await page.$eval(".verdict b", (name) => name.textContent!), /^night shift/);
    assert.equal(await page.$eval(".label.differing", (one) => one.textContent), 'severity="info"');
    const asked = alertmanager.calls.findLast((call) => call.path === "vesta/v1/routes")!;
    assert.deepEqual(JSON.parse(asked.params.get("labels")!), { severity: "page", path: "/pay" });
    await page.$eval("textarea", (box) => { box.value = ""; });
    await page.type("textarea", "=~");
    await sees(page, "These are no labels");
  }));

test("receivers show their last result; the history is filtered", async () => {
  await visit(`${alertmanager.url}#/receivers`, async (page) => {
    await sees(page, "webhook 2");
    await sees(page, "refused");
    await sees(page, "told to no one");
  });
  await visit(`${alertmanager.url}#/history`, async (page) => {
    await sees(page, "connection refused");
    await sees(page, "sent by a peer");
    await press(page, "sent");
    await hides(page, "connection refused");
  });
});

test("the filter of alerts stands in the address", () =>
  visit(`${alertmanager.url}#/alerts?filter=%7Bpath%3D~%22%2Fp.%2B%22%7D&silenced=true`, async (page) => {
    await sees(page, 'path=~"/p.+"');
    await page.type(".filter-box input", "severity!=info");
    const question = page.waitForRequest((request) => request.url().includes("alerts/groups") && request.url().includes("severity"), { timeout: PATIENCE.timeout });
    await page.keyboard.press("Enter");
    await question;
    assert.ok(decodeURIComponent(new URL(page.url()).hash).includes('severity!="info"'));
    const asked = new URL((await question).url()).searchParams;
    assert.deepEqual(asked.getAll("filter"), ['path=~"/p.+"', 'severity!="info"']);
    assert.equal(asked.get("silenced"), "true");
  }));

test("every page, by day and by night, on a telephone too, is accessible and fits", async () => {
  const pages = [...ALL.map((path) => server.url + path), ...ALL_ALERTMANAGER.map((path) => alertmanager.url + path)];
  for (const [at, url] of pages.entries()) {
    for (const look of [{}, { isDark: true }, { isNarrow: true }]) {
      await visit(url, async (page) => {
        await page.waitForFunction(() => document.querySelector("main section, main .empty") && !document.querySelector('.waiting, [aria-busy="true"]'), PATIENCE);
        const name = `${String(at).padStart(2, "0")}-${Object.keys(look).join("") || "day"}`;
        await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true });
        const overflow = await page.evaluate(() => document.scrollingElement!.scrollWidth - innerWidth);
        assert.ok(overflow <= 0, `${url} is ${overflow} pixels too wide (${name})`);
        if ("isNarrow" in look) return;
        await page.evaluate(AXE);
        const violations = await page.evaluate(async () => {
          const axe = (globalThis as unknown as { axe: { run: (node: Document, options: object) => Promise<{ violations: { id: string; nodes: { target: string[] }[] }[] }> } }).axe;
          const found = await axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] });
          return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(" ")).join(", ")}`);
        });
        assert.deepEqual(violations, [], `${url} (${name})`);
      }, look);
    }
  }
});
