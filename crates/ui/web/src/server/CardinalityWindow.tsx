//! Why there are so many series: the labels of some, and which values have the most.

import { useState } from "preact/hooks";
import { useApi } from "../base/api.js";
import { formatCount, labelName, quote, type Labels } from "../base/format.js";
import { Empty, Fold, Note, Trouble, Waiting } from "../parts/bits.js";
import { Window } from "../parts/Window.js";

/** A page that counts more stands still. */
const SERIES_MAX = 20_000;
const VALUES_SHOWN = 20;
const LATELY_MS = 3600_000;

export interface LabelCount {
  name: string;
  /** Values and their series, most first. */
  values: [value: string, count: number][];
}

/** Labels with the most values first. */
export function countLabels(series: Labels[]): LabelCount[] {
  const byName = new Map<string, Map<string, number>>();
  for (const labels of series) {
    for (const [name, value] of Object.entries(labels)) {
      const counts = byName.get(name) ?? new Map<string, number>();
      byName.set(name, counts.set(value, (counts.get(value) ?? 0) + 1));
    }
  }
  const all = [...byName].map(([name, counts]) => ({ name, values: [...counts].sort((a, b) => b[1] - a[1]) }));
  return all.sort((a, b) => b.values.length - a.values.length || (a.name < b.name ? -1 : 1));
}

/** `{"a"}` and `b="c"` as `{"a",b="c"}`. */
function narrowed(selector: string, name: string, value: string): string {
  return `${selector.slice(0, -1)}, ${labelName(name)}=${quote(value)}}`;
}

export function CardinalityWindow({ selector: first, onClose }: { selector: string; onClose: () => void }) {
  const [path, setPath] = useState([first]);
  const [start] = useState(() => (Date.now() - LATELY_MS) / 1000);
  const selector = path.at(-1)!;
  const { data, error, reload } = useApi<Labels[]>("series", { "match[]": selector, limit: SERIES_MAX, start });
  const counts = countLabels(data ?? []);
  return (
    <Window title="Which labels make so many series" onClose={onClose}>
      <div class="drill">
        <p class="mono breaks">
          {path.length > 1 && <button type="button" class="small" onClick={() => setPath(path.slice(0, -1))}>‹ Back</button>} {selector}
        </p>
        {error && <Trouble onRetry={reload}>{error}</Trouble>}
        {!data && !error && <Waiting />}
        {data?.length === 0 && <Empty title="No series of the last hour" />}
        {data && data.length >= SERIES_MAX && <Note tone="info">{`Counted among the first ${formatCount(SERIES_MAX)} series.`}</Note>}
        {data && data.length > 0 && <p class="muted">{`${formatCount(data.length)} series of the last hour, by label`}</p>}
        {counts.map(({ name, values }, at) => (
          <Fold key={`${selector} ${name}`} isOpen={at === 0 && values.length > 1} summary={<><b class="mono">{name}</b> <span class="muted num">{`${formatCount(values.length)} ${values.length === 1 ? "value" : "values"}`}</span></>}>
            <ul class="picks">
              {values.slice(0, VALUES_SHOWN).map(([value, count]) => (
                <li key={value}><button type="button" title="Only these" onClick={() => setPath([...path, narrowed(selector, name, value)])}><bdi class="mono">{value}</bdi> <span class="muted num">{formatCount(count)}</span></button></li>
              ))}
              {values.length > VALUES_SHOWN && <li class="foot muted">{`${formatCount(values.length - VALUES_SHOWN)} more`}</li>}
            </ul>
          </Fold>
        ))}
      </div>
    </Window>
  );
}
