import assert from "node:assert/strict";
import test from "node:test";
import { formatPanels, NEW_PANEL, parsePanels, stepOf, type Panel } from "../src/server/query/state.js";

/** Reads a link and compares what differs from a new panel. */
function check(search: string, ...expected: Partial<Panel>[]) {
  const panels = parsePanels(search);
  assert.deepEqual(panels, expected.map((part) => ({ ...NEW_PANEL, ...part })), search);
  assert.deepEqual(parsePanels(formatPanels(panels)), panels, "written and read again");
}

test("links of upstream's pages work", () => {
  check("g0.expr=up&g0.tab=graph&g0.range_input=15m&g0.display_mode=stacked", { expr: "up", tab: "graph", rangeMs: 900_000, display: "stacked" });
  check("g0.expr=sum(rate(x%5B5m%5D))&g0.show_tree=1&g0.res_type=auto&g0.res_density=high", { expr: "sum(rate(x[5m]))", showTree: true, resolution: { type: "auto", density: "high" } });
  check("g0.expr=up&g0.res_type=fixed&g0.res_step=1m", { expr: "up", resolution: { type: "fixed", stepMs: 60_000 } });
  check("g0.expr=up&g0.end_input=2026-03-01%2012%3A30%3A05&g0.moment_input=2026-03-01+00:00:00", {
    expr: "up", endMs: Date.UTC(2026, 2, 1, 12, 30, 5), momentMs: Date.UTC(2026, 2, 1),
  });
});

test("heat maps and exemplars stand in the link", () => {
  check("g0.expr=up&g0.tab=graph&g0.display_mode=heatmap&g0.show_exemplars=1", { expr: "up", tab: "graph", display: "heatmap", showExemplars: true });
});

test("links of older pages and of alerts work", () => {
  check("g0.expr=up&g0.tab=0&g0.stacked=1", { expr: "up", tab: "graph", display: "stacked" });
  check("g0.expr=up&g0.tab=1", { expr: "up", tab: "table" });
  check("g0.expr=up&g0.step_input=30", { expr: "up", resolution: { type: "custom", stepMs: 30_000 } });
});

test("several panels, with holes and nonsense", () => {
  check("g0.expr=a&g1.expr=b", { expr: "a" }, { expr: "b" });
  check("g5.expr=b&g2.expr=a", { expr: "a" }, { expr: "b" });
  check("g999999999.expr=a&x=1&g0.range_input=nonsense&g0.expr=a", { expr: "a" });
  check("");
});

test("expressions survive whatever is in them", () => {
  const expr = 'count by (x) ({a="<b>&amp;🔥 + שלום\\n%"})\n> 1';
  const [panel] = parsePanels(formatPanels([{ ...NEW_PANEL, expr }]));
  assert.equal(panel?.expr, expr);
});

test("the resolution follows the range in whole seconds", () => {
  const step = (density: "low" | "medium" | "high", rangeMs: number) => stepOf({ type: "auto", density }, rangeMs);
  assert.equal(step("medium", 3600_000), 14_000);
  assert.equal(step("medium", 1000), 1000);
  assert.ok((86_400_000 * 365) / step("high", 86_400_000 * 365) < 11_000);
});
