//! Queries, one below the other; all that is chosen stands in the address.

import { useEffect, useState } from "preact/hooks";
import { ask } from "../../base/api.js";
import { place, replaceSearch } from "../../base/route.js";
import { Note } from "../../parts/bits.js";
import { Panel } from "./Panel.js";
import { formatPanels, NEW_PANEL, parsePanels, type Panel as State } from "./state.js";

interface Keyed {
  id: number;
  state: State;
}

let lastId = 0;
const keyed = (state: State): Keyed => ({ id: (lastId += 1), state });

function fromAddress(): Keyed[] {
  const panels = parsePanels(place.get().search);
  return (panels.length > 0 ? panels : [NEW_PANEL]).map(keyed);
}

export function QueryPage() {
  const [panels, setPanels] = useState(fromAddress);
  const change = (next: Keyed[]) => {
    setPanels(next);
    replaceSearch(formatPanels(next.map((one) => one.state)));
  };
  useEffect(() => {
    // Back, forward, or a link to another query.
    return place.watch(() => {
      const { path, search } = place.get();
      setPanels((now) => (path !== "/query" || search === formatPanels(now.map((one) => one.state)) ? now : fromAddress()));
    });
  }, []);
  return (
    <>
      <Skew />
      {panels.map(({ id, state }, at) => (
        <Panel key={id} state={state} isFirst={at === 0}
          onChange={(next) => change(panels.map((one) => (one.id === id ? { id, state: next } : one)))}
          onRemove={panels.length > 1 ? () => change(panels.filter((one) => one.id !== id)) : undefined}
          onDuplicate={() => change([...panels.slice(0, at + 1), keyed(state), ...panels.slice(at + 1)])} />
      ))}
      <button type="button" class="more" onClick={() => change([...panels, keyed(NEW_PANEL)])}>Add a query</button>
    </>
  );
}

const SKEW_MAX_MS = 30_000;

/** Clocks that differ make "now" a moment without samples. */
function Skew() {
  const [skewMs, setSkew] = useState(0);
  useEffect(() => {
    const began = Date.now();
    ask<[number, string]>("query", { query: "time()" }).then(
      ({ data }) => {
        const server = (data as unknown as { result: [number, string] }).result[0] * 1000;
        setSkew(server - (began + Date.now()) / 2);
      },
      () => {},
    );
  }, []);
  if (Math.abs(skewMs) < SKEW_MAX_MS) return null;
  return (
    <Note tone="warn">
      {`This browser's clock and the server's are ${Math.round(Math.abs(skewMs) / 1000)} seconds apart; graphs that end now may be off by as much.`}
    </Note>
  );
}
