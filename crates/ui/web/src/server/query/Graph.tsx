//! Series over time, drawn by uPlot.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { formatCount, formatSeries, formatShort } from "../../base/format.js";
import { isUtc, theme, useStore } from "../../base/store.js";
import { formatTime } from "../../base/time.js";
import { Empty, LabelList, Note, Series } from "../../parts/bits.js";
import { columns, stack, type RangeSeries } from "./answer.js";
import type { Exemplar } from "./asked.js";
import { drawExemplars, ExemplarTable, nearestExemplar } from "./exemplars.js";
import { axes, dateOf, HEIGHT, onSelected, useNight } from "./plot.js";

/** More lines than this are fog, and slow. */
const LINES = 200;

/** Far apart in hue and lightness, readable on both grounds. */
const COLOURS = [
  "#e8743b", "#3f8fd2", "#3aa76d", "#b267d6", "#d8a200", "#e0527a", "#17a2a8", "#8a7bd8",
  "#9a8c3c", "#5aa9e6", "#d0603f", "#60b84f", "#c05ca8", "#7f8fa6", "#b8863b", "#4db6ac",
];

export interface GraphProps {
  series: RangeSeries[];
  startMs: number;
  endMs: number;
  stepMs: number;
  isStacked: boolean;
  yFromZero: boolean;
  exemplars: Exemplar[];
  onZoom: (startMs: number, endMs: number) => void;
}

interface Hover {
  at: number;
  slot: number;
  left: number;
  top: number;
}

export function Graph({ series: all, startMs, endMs, stepMs, isStacked, yFromZero, exemplars, onZoom }: GraphProps) {
  const [limit, setLimit] = useState(LINES);
  const [hidden, setHidden] = useState<ReadonlySet<number>>(new Set());
  const [hover, setHover] = useState<Hover | null>(null);
  const [lit, setLit] = useState<number | null>(null);
  const [event, setEvent] = useState<{ exemplar: Exemplar; left: number; top: number } | null>(null);
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
        onHover: (chart, found) => {
          const near = nearestExemplar(chart, exemplars);
          setEvent(near);
          setHover(near ? null : found);
        },
        onDraw: (chart) => drawExemplars(chart, exemplars),
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
      setEvent(null);
    };
  }, [data, order, isStacked, yFromZero, exemplars, utc, look, isNight]);

  useEffect(() => {
    const slot = lit === null ? -1 : order.indexOf(lit);
    // uPlot takes null for "none", which its types do not say.
    plot.current?.setSeries(slot < 0 ? (null as unknown as number) : slot + 1, { focus: slot >= 0 });
  }, [lit]);

  if (all.length === 0) {
    return <Empty title="No series in this range">Nothing matches here. A wider range, or an earlier end, may show some.</Empty>;
  }
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
        {event && (
          <div class={`tip ${event.left > (box.current?.clientWidth ?? 0) / 2 ? "left" : ""}`} ref={(tip) => { if (tip) position(tip, event); }}>
            <div class="tip-head">
              <b class="num">◆ {event.exemplar.value}</b>
              <span class="muted num">{formatTime(event.exemplar.timestamp * 1000, utc)}</span>
            </div>
            <LabelList labels={event.exemplar.labels} />
            <Series labels={event.exemplar.seriesLabels} />
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
      {exemplars.length > 0 && <ExemplarTable all={exemplars} />}
    </>
  );
}

function colourOf(at: number): string {
  return COLOURS[at % COLOURS.length]!;
}

function paint(dot: HTMLElement | null, at: number) {
  if (dot) dot.style.background = colourOf(at);
}

function position(tip: HTMLElement, { left, top }: { left: number; top: number }) {
  tip.style.left = `${left}px`;
  tip.style.top = `${top}px`;
}

interface Wish {
  width: number;
  /** Which series each line is. */
  order: number[];
  isStacked: boolean;
  yFromZero: boolean;
  utc: boolean;
  onHover: (chart: uPlot, hover: Hover | null) => void;
  onDraw: (chart: uPlot) => void;
  onSelect: (startMs: number, endMs: number) => void;
}

function options({ width, order, isStacked, yFromZero, utc, onHover, onDraw, onSelect }: Wish): uPlot.Options {
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
    // On the right there is half of a tick's label.
    padding: [12, 32, 0, 4],
    tzDate: dateOf(utc),
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
    axes: axes((ticks) => ticks.map(formatShort)),
    series: [{}, ...lines],
    bands: isStacked ? order.slice(1).map((_, index) => ({ series: [index + 1, index + 2], fill: `${colourOf(order[index]!)}66` })) : undefined,
    hooks: {
      setCursor: [(chart) => onHover(chart, nearest(chart, order))],
      draw: [onDraw],
      setSelect: [onSelected(onSelect)],
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
