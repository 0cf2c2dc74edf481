//! Single events behind the samples, such as a request with its trace.

import type uPlot from "uplot";
import { formatCount } from "../../base/format.js";
import { Fold, LabelList, Moment, Scroll, Series, useSome } from "../../parts/bits.js";
import type { Exemplar } from "./asked.js";
import { resolve } from "./plot.js";

/** More marks than this hide the lines. */
const DRAWN_MAX = 1000;

/** Where an exemplar is on the canvas, in its own pixels; what is beyond an edge lies on it. */
function placeOf(chart: uPlot, { timestamp, value }: Exemplar): { x: number; y: number } {
  const { top, height } = chart.bbox;
  const x = chart.valToPos(timestamp, "x", true);
  const y = chart.valToPos(value, "y", true);
  return { x, y: Math.min(Math.max(Number.isFinite(y) ? y : top, top), top + height) };
}

export function drawExemplars(chart: uPlot, all: Exemplar[]) {
  const { ctx } = chart;
  const size = 4 * (devicePixelRatio || 1);
  ctx.save();
  ctx.fillStyle = resolve("--panel");
  ctx.strokeStyle = resolve("--text");
  ctx.lineWidth = 1.5 * (devicePixelRatio || 1);
  for (const exemplar of all.slice(0, DRAWN_MAX)) {
    const { x, y } = placeOf(chart, exemplar);
    ctx.beginPath();
    ctx.moveTo(x, y - size);
    ctx.lineTo(x + size, y);
    ctx.lineTo(x, y + size);
    ctx.lineTo(x - size, y);
    ctx.closePath();
    ctx.fill();
    ctx.stroke();
  }
  ctx.restore();
}

const NEAR = 8;

/** The one below the pointer, and where it is in the plot's box. */
export function nearestExemplar(chart: uPlot, all: Exemplar[]): { exemplar: Exemplar; left: number; top: number } | null {
  const { left = -1, top = -1 } = chart.cursor;
  if (left < 0 || all.length === 0) return null;
  const ratio = devicePixelRatio || 1;
  let best: { exemplar: Exemplar; left: number; top: number; distance: number } | undefined;
  for (const exemplar of all.slice(0, DRAWN_MAX)) {
    const { x, y } = placeOf(chart, exemplar);
    const at = { left: x / ratio, top: y / ratio };
    const distance = Math.hypot(at.left - chart.bbox.left / ratio - left, at.top - chart.bbox.top / ratio - top);
    if (distance <= NEAR && (!best || distance < best.distance)) best = { exemplar, ...at, distance };
  }
  return best ?? null;
}

export function ExemplarTable({ all }: { all: Exemplar[] }) {
  const { some, more } = useSome(all, 50);
  return (
    <Fold summary={`${formatCount(all.length)} ${all.length === 1 ? "exemplar" : "exemplars"}`}>
      <Scroll>
        <table class="list">
          <thead><tr><th scope="col">Time</th><th scope="col" class="right">Value</th><th scope="col">Exemplar</th><th scope="col">Series</th></tr></thead>
          <tbody>
            {some.map((one, at) => (
              <tr key={at}>
                <td class="nowrap"><Moment time={one.timestamp * 1000} /></td>
                <td class="right num">{one.value}</td>
                <td><LabelList labels={one.labels} isNamed /></td>
                <td><Series labels={one.seriesLabels} /></td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {more}
    </Fold>
  );
}
