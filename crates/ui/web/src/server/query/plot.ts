//! What all graphs share: axes, colours, day and night.

import { useEffect, useState } from "preact/hooks";
import uPlot from "uplot";

export const HEIGHT = 340;

export function useNight(): boolean {
  const query = matchMedia("(prefers-color-scheme: dark)");
  const [isNight, setNight] = useState(query.matches);
  useEffect(() => {
    const listen = () => setNight(query.matches);
    query.addEventListener("change", listen);
    return () => query.removeEventListener("change", listen);
  }, []);
  return isNight;
}

/** A canvas knows no custom properties: asks an element what a colour comes to. */
export function resolve(variable: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(${variable})`;
  document.body.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}

/** From steps in seconds: the format, and what is added where the day or the year changes. */
const TIME_FORMATS: uPlot.Axis.Values = [
  [3600 * 24 * 365, "{YYYY}", null, null, null, null, null, null, 1],
  [3600 * 24 * 28, "{YYYY}-{MM}", null, null, null, null, null, null, 1],
  [3600 * 24, "{MM}-{DD}", "\n{YYYY}", null, null, null, null, null, 1],
  [60, "{HH}:{mm}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
  [1, "{HH}:{mm}:{ss}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
  [0.001, ":{ss}.{fff}", "\n{YYYY}-{MM}-{DD} {HH}:{mm}", null, "\n{MM}-{DD} {HH}:{mm}", null, "\n{HH}:{mm}", null, 1],
];

/** Axes as the theme has them: time below, values as `show` writes them on the left. */
export function axes(show: (ticks: number[]) => string[]): uPlot.Axis[] {
  const line = resolve("--line");
  const axis: uPlot.Axis = { stroke: resolve("--muted"), grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1, size: 4 }, font: "12px system-ui, sans-serif" };
  const size = (_: uPlot, ticks: string[] | null) => Math.max(44, 16 + 7 * Math.max(...(ticks ?? []).map((tick) => tick.length), 0));
  return [{ ...axis, values: TIME_FORMATS, space: 76 }, { ...axis, size, values: (_, ticks) => show(ticks) }];
}

export function dateOf(utc: boolean): (seconds: number) => Date {
  return (seconds) => (utc ? uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC") : new Date(seconds * 1000));
}

/** A stretch that was marked with the pointer becomes the range. */
export function onSelected(onSelect: (startMs: number, endMs: number) => void): (chart: uPlot) => void {
  return (chart) => {
    const { left, width } = chart.select;
    if (width < 4) return;
    onSelect(chart.posToVal(left, "x") * 1000, chart.posToVal(left + width, "x") * 1000);
    chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  };
}
