//! Histograms over time: the darker a cell, the more samples fell into its bucket.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { formatCount, formatShort } from "../../base/format.js";
import { isUtc, theme, useStore } from "../../base/store.js";
import { formatTime } from "../../base/time.js";
import { Note } from "../../parts/bits.js";
import type { RangeSeries } from "./answer.js";
import { heatOf, type Heat } from "./heat.js";
import { axes, dateOf, HEIGHT, onSelected, resolve, useNight } from "./plot.js";

interface Hover {
  slot: number;
  row: number;
  left: number;
  top: number;
}

export interface HeatmapProps {
  series: RangeSeries[];
  startMs: number;
  endMs: number;
  stepMs: number;
  onZoom: (startMs: number, endMs: number) => void;
}

export function Heatmap({ series, startMs, endMs, stepMs, onZoom }: HeatmapProps) {
  const heat = useMemo(() => heatOf(series, startMs, endMs, stepMs), [series, startMs, endMs, stepMs]);
  const [hover, setHover] = useState<Hover | null>(null);
  const box = useRef<HTMLDivElement>(null);
  const zoom = useRef(onZoom);
  zoom.current = onZoom;
  const utc = useStore(isUtc);
  const look = useStore(theme);
  const isNight = useNight();

  useEffect(() => {
    const parent = box.current;
    if (!parent || !heat) return;
    const chart = new uPlot(options(heat, parent.clientWidth || 800, utc, setHover, (from, to) => zoom.current(from, to)),
      [heat.times, heat.times.map(() => null)] as uPlot.AlignedData, parent);
    const observer = new ResizeObserver(() => parent.clientWidth > 0 && chart.setSize({ width: parent.clientWidth, height: HEIGHT }));
    observer.observe(parent);
    return () => {
      observer.disconnect();
      chart.destroy();
      setHover(null);
    };
  }, [heat, utc, look, isNight]);

  if (!heat) {
    return (
      <Note tone="info">
        {"A heat map draws native histograms, or classic ones by their label le, such as sum by (le) (rate(request_duration_seconds_bucket[5m])). There is neither in this answer."}
      </Note>
    );
  }
  const count = hover && heat.cells[hover.slot]?.[hover.row];
  return (
    <div class="plot">
      <div ref={box} role="img" aria-label={`Heat map of ${series.length} series: ${heat.borders.length - 1} buckets over time`} />
      {hover && (
        <div class={`tip ${hover.left > (box.current?.clientWidth ?? 0) / 2 ? "left" : ""}`}
          ref={(tip) => { if (tip) Object.assign(tip.style, { left: `${hover.left}px`, top: `${hover.top}px` }); }}>
          <div class="tip-head">
            <b class="num">{count ? Number(count.toPrecision(4)) : 0}</b>
            <span class="muted num">{formatTime(heat.times[hover.slot]! * 1000, utc)}</span>
          </div>
          <span class="mono">{`${show(heat.borders[hover.row]!)} … ${show(heat.borders[hover.row + 1]!)}`}</span>
        </div>
      )}
      <p class="scale muted num" aria-hidden="true">0 <i /> {formatShort(Number(heat.most.toPrecision(3)))}<span class="spring" />{`${formatCount(heat.borders.length - 1)} buckets`}</p>
    </div>
  );
}

function show(border: number): string {
  return formatShort(Number(border.toPrecision(4)));
}

function options(heat: Heat, width: number, utc: boolean, onHover: (hover: Hover | null) => void, onSelect: (startMs: number, endMs: number) => void): uPlot.Options {
  const nRows = heat.borders.length - 1;
  const step = (heat.times[1] ?? heat.times[0]! + 1) - heat.times[0]!;
  return {
    width,
    height: HEIGHT,
    // On the right there is half of a tick's label.
    padding: [12, 32, 0, 4],
    tzDate: dateOf(utc),
    legend: { show: false },
    cursor: { drag: { x: true, y: false, setScale: false }, y: false, points: { show: false } },
    scales: {
      x: { time: true, range: [heat.times[0]! - step / 2, heat.times.at(-1)! + step / 2] },
      // Rows are of one height, whatever their buckets' width.
      y: { range: [0, nRows] },
    },
    axes: axes((ticks) => ticks.map((tick) => (Number.isInteger(tick) && tick <= nRows ? show(heat.borders[tick]!) : ""))),
    series: [{}, { show: true }],
    hooks: {
      drawAxes: [(chart) => paint(chart, heat, step)],
      setCursor: [(chart) => onHover(below(chart, heat))],
      setSelect: [onSelected(onSelect)],
    },
  };
}

function paint(chart: uPlot, heat: Heat, step: number) {
  const { ctx } = chart;
  const { left, top, width, height } = chart.bbox;
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, width, height);
  ctx.clip();
  ctx.fillStyle = resolve("--accent");
  heat.cells.forEach((column, slot) => {
    const time = heat.times[slot]!;
    const from = Math.floor(chart.valToPos(time - step / 2, "x", true));
    // Where the next one begins: cells that overlap would be darker there.
    const to = Math.floor(chart.valToPos(time + step / 2, "x", true));
    column.forEach((count, row) => {
      if (!(count > 0)) return;
      const upper = Math.floor(chart.valToPos(row + 1, "y", true));
      const lower = Math.floor(chart.valToPos(row, "y", true));
      // The root, so that few beside very many can be seen.
      ctx.globalAlpha = 0.08 + 0.92 * Math.sqrt(count / heat.most);
      ctx.fillRect(from, upper, Math.max(to - from, 1), Math.max(lower - upper, 1));
    });
  });
  ctx.restore();
}

function below(chart: uPlot, heat: Heat): Hover | null {
  const { idx, left, top } = chart.cursor;
  if (idx == null || left == null || top == null || left < 0) return null;
  const row = Math.floor(chart.posToVal(top, "y"));
  if (row < 0 || row >= heat.borders.length - 1) return null;
  const ratio = devicePixelRatio || 1;
  return { slot: idx, row, left: left + chart.bbox.left / ratio, top: top + chart.bbox.top / ratio };
}
