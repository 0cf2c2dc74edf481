//! What a query gives at one moment.

import { useState } from "preact/hooks";
import { formatCount, formatSeries } from "../../base/format.js";
import { CopyButton, Empty, Moment, Note, Scroll, Series } from "../../parts/bits.js";
import { bucketRange, type Histogram, type InstantSeries, type RangeSeries, type Result } from "./answer.js";

/** A browser draws so many rows at once; more of them on demand. */
const ROWS = 500;

export function Table({ result }: { result: Result }) {
  const [limit, setLimit] = useState(ROWS);
  if (result.resultType === "scalar" || result.resultType === "string") {
    return (
      <table class="results">
        <tbody><tr><td class="muted">{result.resultType}</td><td class="value">{result.result[1]}</td></tr></tbody>
      </table>
    );
  }
  const rows: (InstantSeries | RangeSeries)[] = result.result;
  if (rows.length === 0) {
    return (
      <Empty title="No series">
        Nothing matches at this moment. Is a label misspelt? The list of metrics below the button <b>Metrics</b> shows what there is.
      </Empty>
    );
  }
  return (
    <>
      {rows.length > limit && (
        <Note tone="info">{`${formatCount(rows.length)} series; the first ${formatCount(limit)} are shown.`}</Note>
      )}
      <Scroll>
        <table class="results">
          <thead class="sr"><tr><th scope="col">Series</th><th scope="col">Value</th></tr></thead>
          <tbody>
            {rows.slice(0, limit).map((row, at) => (
              <tr key={at}>
                <td><Series labels={row.metric} /> <CopyButton text={formatSeries(row.metric)} /></td>
                <td class="value"><Values row={row} /></td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {rows.length > limit && (
        <button type="button" class="more" onClick={() => setLimit(limit * 4)}>
          {`Show ${formatCount(Math.min(limit * 3, rows.length - limit))} more`}
        </button>
      )}
    </>
  );
}

function Values({ row }: { row: InstantSeries | RangeSeries }) {
  if ("value" in row && row.value) return <>{row.value[1]}</>;
  if ("histogram" in row && row.histogram) return <HistogramView histogram={row.histogram[1]} />;
  const { values = [], histograms = [] } = row as RangeSeries;
  return (
    <>
      {values.map(([seconds, value]) => (
        <div class="sample" key={seconds}>{value} <span class="muted">@ <Moment time={seconds * 1000} /></span></div>
      ))}
      {histograms.map(([seconds, histogram]) => (
        <div class="sample" key={seconds}><HistogramView histogram={histogram} /> <span class="muted">@ <Moment time={seconds * 1000} /></span></div>
      ))}
    </>
  );
}

/** Count and sum, and a bar for each bucket. */
function HistogramView({ histogram }: { histogram: Histogram }) {
  const buckets = histogram.buckets ?? [];
  const most = Math.max(...buckets.map((bucket) => Number(bucket[3])), 0);
  return (
    <details class="histogram">
      <summary>count {histogram.count}, sum {histogram.sum}</summary>
      <table>
        <tbody>
          {buckets.map((bucket) => (
            <tr key={bucketRange(bucket)}>
              <th scope="row">{bucketRange(bucket)}</th>
              <td><meter min={0} max={most || 1} value={Number(bucket[3])} /></td>
              <td>{bucket[3]}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
