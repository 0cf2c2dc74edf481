//! Stretches of time, one row below the other, over one axis.

import { isUtc, useStore } from "../base/store.js";
import { formatTime } from "../base/time.js";

export interface Span {
  startMs: number;
  endMs: number;
  tone: "good" | "warn" | "bad" | "info" | "quiet" | "plain";
  /** Said on hover. */
  title: string;
}

export interface Row {
  name: string;
  spans: Span[];
}

const TICKS = 4;

export function TimeLine({ label, startMs, endMs, rows }: { label: string; startMs: number; endMs: number; rows: Row[] }) {
  const utc = useStore(isUtc);
  const width = Math.max(endMs - startMs, 1);
  const place = (ms: number) => (Math.min(Math.max(ms - startMs, 0), width) / width) * 100;
  const isShort = width < 20 * 3600_000;
  const tick = (at: number) => {
    const text = formatTime(startMs + (width * at) / TICKS, utc);
    return isShort ? text.slice(11, width < 600_000 ? 19 : 16) : text.slice(5, 16);
  };
  return (
    <div class="time-line" role="img" aria-label={label}>
      {rows.map((row) => (
        <div class="time-row" key={row.name}>
          <span class="time-name">{row.name}</span>
          <div class="track">
            {row.spans.filter((span) => span.endMs >= startMs && span.startMs <= endMs).map((span, at) => (
              <i key={at} class={span.tone} title={span.title}
                style={{ left: `${place(span.startMs)}%`, width: `${Math.max(place(span.endMs) - place(span.startMs), 0)}%` }} />
            ))}
          </div>
        </div>
      ))}
      <div class="time-row">
        <span class="time-name" />
        <div class="time-axis num">{Array.from({ length: TICKS + 1 }, (_, at) => <span key={at}>{tick(at)}</span>)}</div>
      </div>
    </div>
  );
}
