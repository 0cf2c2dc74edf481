//! What a link to the query page says: `/query?g0.expr=up&g0.tab=graph`, as upstream writes it.

import { formatDuration, parseDuration } from "../../base/duration.js";
import { formatTime, parseTime } from "../../base/time.js";

export type Tab = "table" | "graph" | "explain";
export type Display = "lines" | "stacked" | "heatmap";
export type Density = "low" | "medium" | "high";

export type Resolution =
  | { type: "auto"; density: Density }
  | { type: "fixed" | "custom"; stepMs: number };

export interface Panel {
  expr: string;
  tab: Tab;
  /** End of the graph; null follows the clock. */
  endMs: number | null;
  /** Moment of the table; null is now. */
  momentMs: number | null;
  rangeMs: number;
  resolution: Resolution;
  display: Display;
  yFromZero: boolean;
  showTree: boolean;
  showExemplars: boolean;
}

export const NEW_PANEL: Panel = {
  expr: "",
  tab: "table",
  endMs: null,
  momentMs: null,
  rangeMs: 3600_000,
  resolution: { type: "auto", density: "medium" },
  display: "lines",
  yFromZero: false,
  showTree: false,
  showExemplars: false,
};

/** More panels than this in a link are a mistake, and would hang the page. */
const PANELS_MAX = 64;

export function parsePanels(search: string): Panel[] {
  const panels: Panel[] = [];
  for (const [key, value] of new URLSearchParams(search)) {
    const found = /^g(\d+)\.(\w+)$/.exec(key);
    if (!found) continue;
    const at = Number(found[1]);
    if (at >= PANELS_MAX) continue;
    panels[at] = withParam(panels[at] ?? NEW_PANEL, found[2]!, value);
  }
  return panels.filter((panel) => panel !== undefined);
}

function withParam(panel: Panel, name: string, value: string): Panel {
  const time = () => parseTime(value, true);
  switch (name) {
    case "expr": return { ...panel, expr: value };
    case "tab": return { ...panel, tab: tabOf(value) };
    case "end_input": return { ...panel, endMs: time() };
    case "moment_input": return { ...panel, momentMs: time() };
    case "range_input": return { ...panel, rangeMs: parseDuration(value) || panel.rangeMs };
    case "stacked": return { ...panel, display: value === "1" ? "stacked" : "lines" };
    case "display_mode": return { ...panel, display: value === "stacked" || value === "heatmap" ? value : "lines" };
    case "y_axis_min": return { ...panel, yFromZero: value === "0" };
    case "show_tree": return { ...panel, showTree: value === "1" };
    case "show_exemplars": return { ...panel, showExemplars: value === "1" };
    case "res_type": {
      if (value !== "fixed" && value !== "custom") return panel;
      const stepMs = panel.resolution.type === "auto" ? 15_000 : panel.resolution.stepMs;
      return { ...panel, resolution: { type: value, stepMs } };
    }
    case "res_density":
      return panel.resolution.type === "auto" && (value === "low" || value === "medium" || value === "high")
        ? { ...panel, resolution: { type: "auto", density: value } }
        : panel;
    case "res_step":
    // Links of old pages.
    case "step_input": {
      const stepMs = parseDuration(value);
      const type = panel.resolution.type === "fixed" ? "fixed" : "custom";
      return stepMs ? { ...panel, resolution: { type, stepMs } } : panel;
    }
    default: return panel;
  }
}

function tabOf(value: string): Tab {
  // Old pages counted them.
  if (value === "0" || value === "graph") return "graph";
  return value === "explain" ? "explain" : "table";
}

export function formatPanels(panels: Panel[]): string {
  const params = new URLSearchParams();
  panels.forEach((panel, at) => {
    const set = (name: string, value: string) => params.set(`g${at}.${name}`, value);
    set("expr", panel.expr);
    set("show_tree", panel.showTree ? "1" : "0");
    set("tab", panel.tab);
    if (panel.endMs !== null) set("end_input", formatTime(panel.endMs, true));
    if (panel.momentMs !== null) set("moment_input", formatTime(panel.momentMs, true));
    set("range_input", formatDuration(panel.rangeMs));
    set("res_type", panel.resolution.type);
    if (panel.resolution.type === "auto") set("res_density", panel.resolution.density);
    else set("res_step", formatDuration(panel.resolution.stepMs));
    set("display_mode", panel.display);
    if (panel.yFromZero) set("y_axis_min", "0");
    set("show_exemplars", panel.showExemplars ? "1" : "0");
  });
  return params.toString();
}

const POINTS: Record<Density, number> = { low: 100, medium: 250, high: 750 };

/** Milliseconds from point to point: whole seconds, and never more points than the API gives. */
export function stepOf(resolution: Resolution, rangeMs: number): number {
  if (resolution.type !== "auto") return resolution.stepMs;
  const seconds = Math.floor(rangeMs / POINTS[resolution.density] / 1000);
  return Math.max(seconds, 1) * 1000;
}
