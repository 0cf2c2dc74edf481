//! Lists to pick a query from: what was asked before, and which metrics there are.

import { useMemo, useState } from "preact/hooks";
import { useApi } from "../../base/api.js";
import { formatCount, isBareMetric, matchesText, quote } from "../../base/format.js";
import { history, useStore } from "../../base/store.js";
import { Empty, SearchBox, Trouble, Waiting } from "../../parts/bits.js";
import { Window } from "../../parts/Window.js";

const SHOWN = 300;

export function HistoryButton({ onPick }: { onPick: (expr: string) => void }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <button type="button" class="small quiet" onClick={() => setOpen(true)}>History</button>
      {isOpen && <HistoryWindow onClose={() => setOpen(false)} onPick={(expr) => { setOpen(false); onPick(expr); }} />}
    </>
  );
}

function HistoryWindow({ onClose, onPick }: { onClose: () => void; onPick: (expr: string) => void }) {
  const past = useStore(history);
  const [filter, setFilter] = useState("");
  const found = past.filter((expr) => matchesText(filter, [expr]));
  return (
    <Window title="Asked before" onClose={onClose}>
      <SearchBox value={filter} onInput={setFilter} label="Filter" isFirst />
      {found.length === 0 && <Empty title="Nothing here">Queries that you run are kept in this browser, and only there.</Empty>}
      <ul class="picks">
        {found.map((expr) => <li key={expr}><button type="button" class="mono" onClick={() => onPick(expr)}>{expr}</button></li>)}
      </ul>
      {past.length > 0 && <footer><button type="button" class="small" onClick={() => history.set([])}>Forget all</button></footer>}
    </Window>
  );
}

export function MetricsButton({ onPick }: { onPick: (expr: string) => void }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <button type="button" class="small quiet" onClick={() => setOpen(true)}>Metrics</button>
      {isOpen && <MetricsWindow onClose={() => setOpen(false)} onPick={(expr) => { setOpen(false); onPick(expr); }} />}
    </>
  );
}

type Metadata = Record<string, { type: string; help: string; unit: string }[]>;

function MetricsWindow({ onClose, onPick }: { onClose: () => void; onPick: (expr: string) => void }) {
  const names = useApi<string[]>("label/__name__/values");
  const metadata = useApi<Metadata>("metadata");
  const [filter, setFilter] = useState("");
  const of = (name: string) => (metadata.data?.[name] ?? metadata.data?.[name.replace(/_(bucket|count|sum|total)$/, "")])?.[0];
  const found = useMemo(
    () => (names.data ?? []).filter((name) => matchesText(filter, [name, of(name)?.help ?? "", of(name)?.type ?? ""])),
    [names.data, metadata.data, filter],
  );
  return (
    <Window title="Metrics" onClose={onClose}>
      <SearchBox value={filter} onInput={setFilter} label="Filter by name, type or help" isFirst />
      {names.error && <Trouble onRetry={names.reload}>{names.error}</Trouble>}
      {!names.data && !names.error && <Waiting />}
      {names.data && found.length === 0 && <Empty title="No metric">{names.data.length === 0 ? "Nothing has been scraped yet." : "None matches the filter."}</Empty>}
      <ul class="picks">
        {found.slice(0, SHOWN).map((name) => (
          <li key={name}>
            <button type="button" onClick={() => onPick(isBareMetric(name) ? name : `{${quote(name)}}`)}>
              <span class="mono">{name}</span> <small class="muted">{of(name)?.type}</small>
              <span class="help">{of(name)?.help}</span>
            </button>
          </li>
        ))}
      </ul>
      {found.length > SHOWN && <footer class="muted">{`${formatCount(found.length - SHOWN)} more; a filter narrows them down.`}</footer>}
    </Window>
  );
}
