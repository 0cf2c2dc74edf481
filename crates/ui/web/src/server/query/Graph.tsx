//! Series over time, drawn by uPlot.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { formatCount, formatSeries, formatShort } from "../../base/format.js";
import { isUtc, theme, useStore } from "../../base/store.js";
import { formatTime } from "../../base/time.js";
import { Empty, Note, Series } from "../../parts/bits.js";
import { columns, stack, type RangeSeries } from "./answer.js";

/** More lines than this are fog, and slow. */
const LINES = 200;
const HEIGHT = 340;

/** Far apart in hue and lightness, readable on both grounds. */
const COLOURS = [
  "#e8743b", "#3f8fd2", "#3aa76d", "#b267d6", "#d8a200", "#e0527a", "#17a2a8", "#8a7bd8",
  "#9a8c3c", "#5aa9e6", "#d0603f", "#60b84f", "#c05ca8", "#7f8fa6", "#b8863b", "#4db6ac",
];

interface Props {
  series: RangeSeries[];
  startMs: number;
  endMs: number;
  stepMs: number;
  isStacked: boolean;
  yFromZero: boolean;
  onZoom: (startMs: number, endMs: number) => void;
}

interface Hover {
  at: number;
  slot: number;
  left: number;
  top: number;
}

export function Graph({ series: all, startMs, endMs, stepMs, isStacked, yFromZero, onZoom }: Props) {
  const [limit, setLimit] = useState(LINES);
  const [hidden, setHidden] = useState<ReadonlySet<number>>(new Set());
  const [hover, setHover] = useState<Hover | null>(null);
  const [lit, setLit] = useState<number | null>(null);
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const zoom = useRef(onZoom);
  zoom.current = onZoom;
  const utc = useStore(isUtc);
  const look = useStore(theme);
  const isNight = useNight();

  const series = useMemo(() => all.slice(0, limit), [all, limit]);
  const data = useMemo(() => columns(series, startMs, endMs, stepMs), [series, startMs, endMs, stepMs]);
  const shown = useMemo(() => series.map((_, at) => at).filter((at) => !hidden.has(at)), [series, hidden]);
  // Stacked areas come from the top one down: a band lies between each and the next.
  const order = useMemo(() => (isStacked ? shown.toReversed() : shown), [shown, isStacked]);
  useEffect(() => setHidden(new Set()), [all]);

  useEffect(() => {
    const parent = box.current;
    if (!parent) return;
    const stacked = isStacked ? stack(shown.map((at) => data.values[at]!)).toReversed() : null;
    const values = stacked ?? order.map((at) => data.values[at]!);
    const chart = new uPlot(
      options({
        width: parent.clientWidth || 800, order, isStacked, yFromZero, utc,
        onHover: (found) => setHover(found),
        onSelect: (from, to) => zoom.current(from, to),
      }),
      [data.times, ...values] as uPlot.AlignedData,
      parent,
    );
    plot.current = chart;
    const observer = new ResizeObserver(() => parent.clientWidth > 0 && chart.setSize({ width: parent.clientWidth, height: HEIGHT }));
    observer.observe(parent);
    return () => {
      observer.disconnect();
      chart.destroy();
      setHover(null);
    };
  }, [data, order, isStacked, yFromZero, utc, look, isNight]);

  useEffect(() => {
    const slot = lit === null ? -1 : order.indexOf(lit);
    // uPlot takes null for "none", which its types do not say.
    plot.current?.setSeries(slot < 0 ? (null as unknown as number) : slot + 1, { focus: slot >= 0 });
  }, [lit]);

  if (all.length === 0) {
    return <Empty title="No series in this range">Nothing matches here. A wider range, or an earlier end, may show some.</Empty>;
  }
  const nHistograms = all.filter((one) => one.histograms?.length).length;
  const toggle = (at: number, isAlone: boolean) => {
    const others = series.map((_, other) => other).filter((other) => other !== at);
    const isSolo = hidden.size === others.length && !hidden.has(at);
    if (isAlone) setHidden(new Set(isSolo ? [] : others));
    else setHidden(new Set(hidden.has(at) ? [...hidden].filter((one) => one !== at) : [...hidden, at]));
  };
  const hovered = hover && series[hover.at];
  return (
    <>
      {all.length > limit && (
        <Note tone="info">
          {`${formatCount(all.length)} series; the first ${formatCount(limit)} are drawn. `}
          <button type="button" class="small" onClick={() => setLimit(limit * 4)}>{`Draw ${formatCount(Math.min(limit * 4, all.length))}`}</button>
        </Note>
      )}
      {nHistograms > 0 && <Note tone="info">{`${formatCount(nHistograms)} series are native histograms, which are shown in the table only.`}</Note>}
      <div class="plot">
        <div ref={box} role="img" aria-label={`Graph of ${series.length} series; the list below names them`} />
        {hover && hovered && (
          <div class={`tip ${hover.left > (box.current?.clientWidth ?? 0) / 2 ? "left" : ""}`} ref={(tip) => { if (tip) position(tip, hover); }}>
            <div class="tip-head">
              <i class="swatch" ref={(dot) => paint(dot, hover.at)} />
              <b class="num">{data.values[hover.at]?.[hover.slot] ?? "–"}</b>
              <span class="muted num">{formatTime(data.times[hover.slot]! * 1000, utc)}</span>
            </div>
            <Series labels={hovered.metric} />
          </div>
        )}
      </div>
      <ul class="legend" aria-label="Series">
        {series.map((one, at) => (
          <li key={at}>
            <button type="button" aria-pressed={!hidden.has(at)} title="Click: this one alone. Ctrl-click: hide or show it."
              class={hidden.has(at) ? "off" : ""}
              onMouseEnter={() => setLit(at)} onMouseLeave={() => setLit(null)}
              onClick={(event) => toggle(at, !event.ctrlKey && !event.metaKey)}>
              <i class="swatch" ref={(dot) => paint(dot, at)} />
              {formatSeries(one.metric) === "{}" ? <span class="muted">{"{}"}</span> : <Series labels={one.metric} />}
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}

function colourOf(at: number): string {
  return COLOURS[at % COLOURS.length]!;
}

function paint(dot: HTMLElement | null, at: number) {
  if (dot) dot.style.background = colourOf(at);
}

function position(tip: HTMLElement, { left, top }: Hover) {
  tip.style.left = `${left}px`;
  tip.style.top = `${top}px`;
}

function useNight(): boolean {
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
function resolve(variable: string): string {
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

interface Wish {
  width: number;
  /** Which series each line is. */
  order: number[];
  isStacked: boolean;
  yFromZero: boolean;
  utc: boolean;
  onHover: (hover: Hover | null) => void;
  onSelect: (startMs: number, endMs: number) => void;
}

function options({ width, order, isStacked, yFromZero, utc, onHover, onSelect }: Wish): uPlot.Options {
  const text = resolve("--muted");
  const line = resolve("--line");
  const axis: uPlot.Axis = { stroke: text, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1, size: 4 }, font: "12px system-ui, sans-serif" };
  const lines = order.map((at, index) => {
    const colour = colourOf(at);
    return {
      stroke: colour,
      width: order.length > 60 ? 1 : 1.5,
      // The lowest area reaches down to zero; the others are bands.
      fill: isStacked && index === order.length - 1 ? `${colour}66` : undefined,
      points: { show: (chart: uPlot, slot: number) => isLonely(chart.data[slot]!), size: 4, fill: colour },
      spanGaps: false,
    } satisfies uPlot.Series;
  });
  return {
    width,
    height: HEIGHT,
    padding: [12, 12, 0, 4],
    tzDate: (seconds) => (utc ? uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC") : new Date(seconds * 1000)),
    legend: { show: false },
    focus: { alpha: 0.25 },
    cursor: {
      drag: { x: true, y: false, setScale: false },
      // Only the list below dims the others: lines that come and go with the pointer are no calm.
      focus: { prox: -1 },
      points: { size: 6 },
      y: false,
    },
    scales: {
      x: { time: true },
      y: {
        range: (_, min, max) => {
          if (min === null || max === null || min === undefined || max === undefined) return [0, 1];
          const low = yFromZero || isStacked ? Math.min(0, min) : min;
          const high = yFromZero || isStacked ? Math.max(0, max) : max;
          const room = (high - low) * 0.05 || Math.abs(high) * 0.1 || 1;
          return [low === 0 ? 0 : low - room, high + room];
        },
      },
    },
    axes: [{ ...axis, values: TIME_FORMATS, space: 76 }, { ...axis, size: (_, ticks) => Math.max(44, 16 + 7 * Math.max(...(ticks ?? []).map((tick) => tick.length), 0)), values: (_, ticks) => ticks.map(formatShort) }],
    series: [{}, ...lines],
    bands: isStacked ? order.slice(1).map((_, index) => ({ series: [index + 1, index + 2], fill: `${colourOf(order[index]!)}66` })) : undefined,
    hooks: {
      setCursor: [(chart) => onHover(nearest(chart, order))],
      setSelect: [(chart) => {
        const { left, width } = chart.select;
        if (width < 4) return;
        onSelect(chart.posToVal(left, "x") * 1000, chart.posToVal(left + width, "x") * 1000);
        chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
      }],
    },
  };
}

/** Samples without a neighbour on either side are no line. */
function isLonely(column: ArrayLike<number | null | undefined>): boolean {
  for (let at = 0; at < column.length; at += 1) {
    if (column[at] != null && column[at - 1] == null && column[at + 1] == null) return true;
  }
  return false;
}

/** The line that is closest to the pointer, in the slot below it. */
function nearest(chart: uPlot, order: number[]): Hover | null {
  const { idx, left, top } = chart.cursor;
  if (idx == null || left == null || top == null || left < 0) return null;
  let best: { slot: number; distance: number; y: number } | undefined;
  for (let slot = 1; slot < chart.series.length; slot += 1) {
    const value = chart.data[slot]![idx];
    if (value == null || !chart.series[slot]!.show) continue;
    const y = chart.valToPos(value, "y");
    const distance = Math.abs(y - top);
    if (!best || distance < best.distance) best = { slot, distance, y };
  }
  if (!best) return null;
  const ratio = devicePixelRatio || 1;
  return { at: order[best.slot - 1]!, slot: idx, left: left + chart.bbox.left / ratio, top: best.y + chart.bbox.top / ratio };
}
