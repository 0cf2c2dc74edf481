//! The pages in a real browser. `CHROMIUM` names it; pictures go to `build/pictures`.

import assert from "node:assert/strict";
import test, { after, before } from "node:test";
import type { Browser, Page } from "puppeteer-core";
import * as answers from "./answers.js";
import { enterEditor, hides, inEditor, PATIENCE, press, sees, start, visit as visitWith, type Look } from "./chromium.js";
import { lookAt, picture } from "./looks.js";
import { serve, type Site } from "./server.js";

const ALL = [
  "query", "query?g0.expr=x&g0.tab=table&g0.show_tree=1", "query?g0.expr=x&g0.tab=graph", "query?g0.expr=x&g0.tab=explain", "alerts", "rules", "targets",
  "query?g0.expr=x&g0.tab=graph&g0.show_exemplars=1&g0.display_mode=stacked", "query?g0.expr=native&g0.tab=graph", "query?g0.expr=classic&g0.tab=graph&g0.display_mode=heatmap",
  "service-discovery", "tsdb-status", "cluster", "status", "flags", "config", "alertmanager-discovery", "features",
];
const ALL_ALERTMANAGER = ["#/alerts", "#/silences", "#/silences/new?filter=%7Bpath%3D%22%2Fpay%22%7D", "#/routes", "#/routes?labels=severity%3D%22page%22", "#/receivers", "#/history", "#/cluster", "#/status", "#/settings"];

let browser: Browser;
let server: Site;
let agent: Site;
let alertmanager: Site;

before(async () => {
  browser = await start();
  server = await serve("server", answers.server);
  agent = await serve("agent", answers.server);
  alertmanager = await serve("alertmanager", answers.alertmanager());
});

after(async () => {
  await browser.close();
  server.close();
  agent.close();
  alertmanager.close();
});

const visit = (url: string, use: (page: Page) => Promise<void>, look: Look = {}) => visitWith(browser, url, use, look);

test("a query that is typed fast is answered, and stands in the address", () =>
  visit(`${server.url}query`, async (page) => {
    await enterEditor(page);
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
    await enterEditor(page);
    await page.keyboard.type("req", { delay: 20 });
    await inEditor(page, (editor) => editor.querySelector(".cm-tooltip-autocomplete")?.textContent?.includes("requests_total"));
    // It takes no key for the first moments, so that it is not taken by mistake.
    await new Promise((done) => setTimeout(done, 200));
    await page.keyboard.press("Enter");
    await inEditor(page, (editor) => editor.querySelector(".cm-content")?.textContent === "requests_total");
  }));

test("a wrong query is underlined, and the server's words are shown", () =>
  visit(`${server.url}query`, async (page) => {
    await enterEditor(page);
    await page.keyboard.type("rate(x)");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Enter");
    await sees(page, "expected type range vector");
    await inEditor(page, (editor) => editor.querySelector(".cm-lintRange-error")?.textContent === "x");
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
    await inEditor(page, (editor) => editor.querySelector(".cm-content")?.textContent?.includes("formatted("));
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
    await press(page, "Graph");
    await sees(page, "20,000 series; the first 200 are drawn.");
    assert.equal((await page.$$(".legend button")).length, 200);
    // It is still usable: a click is answered.
    await page.click(".legend button");
    await page.waitForFunction(() => document.querySelectorAll('.legend button[aria-pressed="false"]').length === 199, PATIENCE);
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

test("pages that were left keep no connection", () =>
  // As many as a browser has to a server, and some more.
  visit(`${server.url}query`, async (page) => {
    for (const path of ["alerts", "rules", "targets", "cluster", "status", "flags", "config", "features"]) {
      await page.goto(server.url + path, { waitUntil: "domcontentloaded" });
      await page.waitForSelector("main section");
      await page.waitForSelector(".bell");
    }
    for (const until = Date.now() + PATIENCE.timeout; server.nListeners > 1 && Date.now() < until;) await new Promise((done) => setTimeout(done, 20));
    assert.equal(server.nListeners, 1);
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

test("many groups come a page at a time", async () => {
  answers.world.hasManyGroups = true;
  try {
    for (const path of ["alerts", "rules"]) {
      await visit(server.url + path, async (page) => {
        const shown = () => page.$$eval("main section h2", (all) => `${all[0]!.textContent} … ${all.at(-1)!.textContent}`);
        await sees(page, "1 to 20 of 45 groups");
        assert.equal(await shown(), "group 1 … group 20");
        await press(page, "Next");
        await press(page, "Next");
        await sees(page, "41 to 45 of 45 groups");
        assert.equal(await shown(), "group 41 … group 45");
        await page.type(".search", "Alert 4");
        await sees(page, "group 4");
        await hides(page, "of 45 groups");
        // How many there are on a page is chosen once for all lists.
        await page.$eval(".search", (box) => { (box as HTMLInputElement).value = ""; box.dispatchEvent(new Event("input", { bubbles: true })); });
        await sees(page, "1 to 20 of 45 groups");
        await page.evaluate(() => [...document.querySelectorAll<HTMLElement>(".tools button")].find((one) => one.innerText === "Settings")!.click());
        await page.select("dialog select", "50");
        await hides(page, "of 45 groups");
        assert.equal(await shown(), "group 1 … group 45");
      });
    }
  } finally {
    answers.world.hasManyGroups = false;
  }
});

test("a server that goes away is missed, what was known stays, and it goes on when it is back", () =>
  visit(`${server.url}query?g0.expr=x`, async (page) => {
    await sees(page, "2 series");
    server.isGone = true;
    try {
      await press(page, "Run");
      await sees(page, "The server does not answer");
    } finally {
      server.isGone = false;
    }
    await press(page, "Run");
    await sees(page, "2 series");
    await hides(page, "The server does not answer");
    await page.click('nav a[href$="cluster"]');
    await sees(page, "3 of 3 live");
    server.isGone = true;
    try {
      await sees(page, "The server does not answer");
      await sees(page, "server-c");
    } finally {
      server.isGone = false;
    }
    await hides(page, "The server does not answer");
    await sees(page, "3 of 3 live");
  }, { isCutOff: true }));

test("the start of a server is watched, and the page goes on by itself", async () => {
  server.isStarting = true;
  try {
    await visit(`${server.url}alerts`, async (page) => {
      await sees(page, "The server is starting");
      await sees(page, "segment 15 of 29");
      assert.equal(await page.$eval("progress", (bar) => `${bar.value}/${bar.max}`), "5/20");
      server.isStarting = false;
      await sees(page, "Burning");
    }, { isCutOff: true });
  } finally {
    server.isStarting = false;
  }
});

test("consoles are linked where there are any", async () => {
  const linked = async (url: string) => {
    let found: string | undefined;
    await visit(url, async (page) => {
      found = await page.$eval("nav", (nav) => nav.querySelector<HTMLAnchorElement>("a[data-load]")?.pathname);
    });
    return found;
  };
  assert.equal(await linked(`${server.url}status`), "/prefix/consoles/index.html");
  assert.equal(await linked(`${agent.url}status`), undefined);
});

test("labels are text, whatever is written in them", async () => {
  const check = async (url: string, ready: string) => visit(url, async (page) => {
    await sees(page, ready);
    await sees(page, "<b>bold</b>");
    const marks = await page.$$eval("main :is(.label, .series, .annotations, td, dd) :is(b, script)", (all) => all.map((one) => one.textContent).filter((text) => text === "bold"));
    assert.deepEqual(marks, [], url);
    // What runs from right to left must not turn around what stands beside it.
    const loose = await page.evaluate(() => {
      const texts = document.createTreeWalker(document.querySelector("main")!, NodeFilter.SHOW_TEXT);
      const found: string[] = [];
      while (texts.nextNode()) {
        const { textContent, parentElement } = texts.currentNode as Text;
        if (!textContent?.includes("שלום") || parentElement!.matches("option")) continue;
        let around = parentElement!;
        while (!/isolate|plaintext/.test(getComputedStyle(around).unicodeBidi)) around = around.parentElement!;
        if (around.textContent!.trim() !== textContent.trim()) found.push(`${around.tagName}.${around.className}: ${around.textContent}`);
      }
      return found;
    });
    assert.deepEqual(loose, [], url);
  });
  await check(`${server.url}query?g0.expr=x`, "2 series");
  await check(`${server.url}query?g0.expr=x&g0.tab=graph`, "2 series");
  await check(`${server.url}alerts`, "Burning");
  await check(`${server.url}targets`, "connection refused");
  await check(`${server.url}service-discovery`, "dropped");
  await check(`${server.url}cluster`, "3 of 3 live");
  await check(`${server.url}flags`, "--config.file");
  await check(`${alertmanager.url}#/alerts`, "Burning");
  await check(`${alertmanager.url}#/routes`, "night shift");
  await check(`${alertmanager.url}#/receivers`, "night shift");
  await check(`${alertmanager.url}#/history`, "sent by a peer");
});

test("an agent has pages for what an agent does", async () => {
  await visit(`${agent.url}agent`, async (page) => {
    await sees(page, "runs as an agent");
    await sees(page, "long-term");
    assert.equal(await page.$$eval("nav a", (all) => all.map((one) => one.textContent).join()), "Agent,Targets,Discovery,Status");
    await page.click('nav a[href$="targets"]');
    await sees(page, "connection refused");
    await page.click('nav a[href$="status"]');
    await sees(page, "last reload failed");
    assert.equal(await page.$$eval('[role="tab"]', (all) => all.map((one) => one.textContent).join()), "Server,Flags,Configuration,Features");
  });
  await visit(agent.url, (page) => sees(page, "runs as an agent").then(() => {}));
  assert.deepEqual(agent.calls.filter(({ path }) => /^(query|labels|rules|alerts)/.test(path)), [], "it has no answer to those");
});

test("days are picked from a calendar, whose weeks begin as chosen", async () => {
  await visit(`${alertmanager.url}#/settings`, async (page) => {
    await page.waitForSelector('[aria-label="First day of the week"]');
    await press(page, "Sunday");
    await page.evaluate(() => { location.hash = "#/silences/new"; });
    await page.waitForSelector(".times");
    const [from] = await page.$$(".times .field input");
    await page.click('[aria-label^="From"][aria-expanded]');
    await page.waitForSelector(".calendar");
    assert.equal(await page.$$eval(".calendar th", (all) => all.map((one) => one.textContent).join(" ")), "Su Mo Tu We Th Fr Sa");
    const day = await from!.evaluate((box) => box.value);
    for (const key of ["PageDown", "PageUp", "ArrowDown", "ArrowRight"] as const) await page.keyboard.press(key);
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => !document.querySelector(".calendar"), PATIENCE);
    const moved = await from!.evaluate((box) => box.value);
    const days = (text: string) => Date.parse(`${text.slice(0, 10)}T00:00:00Z`) / 86_400_000;
    // The last days of a month may have none like them in the next.
    assert.ok([8, 7, 6, 5].includes(days(moved) - days(day)), `${day} became ${moved}`);
    assert.equal(moved.slice(10), day.slice(10));
    await page.click('[aria-label^="Until"][aria-expanded]');
    await page.waitForSelector(".calendar");
    await picture(page, "calendar");
    await page.keyboard.press("Escape");
    await page.waitForFunction(() => !document.querySelector(".calendar") && document.activeElement?.matches('[aria-label^="Until"]'), PATIENCE);
  });
});

test("every page, by day, by night and on a telephone, is accessible and fits", () =>
  lookAt(browser, [
    ...ALL.map((path, at) => ({ name: `${String(at).padStart(2, "0")}-server`, url: server.url + path })),
    ...ALL_ALERTMANAGER.map((path, at) => ({ name: `${String(at).padStart(2, "0")}-alertmanager`, url: alertmanager.url + path })),
    { name: "00-agent", url: `${agent.url}agent` },
  ]));
