//! One query: the box, what it gives as a table or a graph, and the controls of each.

import { useEffect, useRef, useState } from "preact/hooks";
import { ask, messageOf } from "../../base/api.js";
import { formatDuration, narrower, roughDuration, wider } from "../../base/duration.js";
import { formatCount } from "../../base/format.js";
import { remember, settings, useStore } from "../../base/store.js";
import { Empty, Note, Tabs, Trouble, Waiting } from "../../parts/bits.js";
import { later } from "../../parts/later.js";
import { query, type Outcome } from "./asked.js";
import { DurationInput, MomentInput, ResolutionInput } from "./controls.js";
import type { EditorProps } from "./Editor.js";
import type { GraphProps } from "./Graph.js";
import { hasHistograms } from "./heat.js";
import type { HeatmapProps } from "./Heatmap.js";
import { HistoryButton, MetricsButton } from "./pickers.js";
import { Plan } from "./Plan.js";
import { stepOf, type Panel as State, type Tab } from "./state.js";
import { Table } from "./Table.js";
import { Tree } from "./Tree.js";

interface Props {
  state: State;
  isFirst: boolean;
  onChange: (state: State) => void;
  onRemove?: () => void;
  onDuplicate: () => void;
}

// The editor and the graphs are most of the script; the page is seen before they are there.
const Editor = later<EditorProps>(
  () => import("./Editor.js").then((module) => module.Editor),
  ({ given }) => <div class="editor-soon">{given.text}</div>,
);
const Graph = later<GraphProps>(() => import("./drawings.js").then((module) => module.Graph), Waiting);
const Heatmap = later<HeatmapProps>(() => import("./drawings.js").then((module) => module.Heatmap), Waiting);

const TABS: readonly Tab[] = ["table", "graph", "explain"];

export function Panel({ state, isFirst, onChange, onRemove, onDuplicate }: Props) {
  const [text, setText] = useState(state.expr);
  const [given, setGiven] = useState({ text: state.expr });
  const [outcome, setOutcome] = useState<Outcome>();
  const [error, setError] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const [round, setRound] = useState(0);
  const showsWarnings = useStore(settings.showsWarnings);
  const showsInfos = useStore(settings.showsInfos);
  const abort = useRef<AbortController>(undefined);

  const change = (part: Partial<State>) => onChange({ ...state, ...part });
  const run = (expr = text) => {
    if (expr !== text) setGiven({ text: expr });
    remember(expr);
    if (expr !== state.expr) change({ expr });
    // The same query again asks again.
    setRound((count) => count + 1);
  };

  useEffect(() => setGiven({ text: state.expr }), [state.expr]);

  useEffect(() => {
    abort.current?.abort();
    if (state.expr.trim() === "" || state.tab === "explain") {
      setBusy(false);
      setError(undefined);
      if (state.expr.trim() === "") setOutcome(undefined);
      return;
    }
    const mine = new AbortController();
    abort.current = mine;
    setBusy(true);
    query(state, mine.signal)
      .then((found) => {
        setOutcome(found);
        setError(undefined);
        setBusy(false);
      })
      .catch((reason: unknown) => {
        if (mine.signal.aborted) return;
        setError(messageOf(reason));
        setOutcome(undefined);
        setBusy(false);
      });
    return () => mine.abort();
  }, [state.expr, state.tab, state.momentMs, state.tab === "graph" && JSON.stringify([state.endMs, state.rangeMs, state.resolution, state.showExemplars]), round]);

  const format = async () => {
    try {
      const { data } = await ask<string>("format_query", { query: text }, { post: true });
      setGiven({ text: data });
    } catch (reason) {
      setError(messageOf(reason));
    }
  };

  return (
    <section class="panel query-panel" aria-label={state.expr || "Query"} aria-busy={isBusy}>
      <div class="ask">
        <Editor given={given} onChange={setText} onRun={() => run()} isFirst={isFirst} />
        <button type="button" class="primary" onClick={() => run()}>Run</button>
      </div>
      <div class="bar">
        <Tabs all={TABS} chosen={state.tab} onChange={(tab) => change({ tab })} label="How to show the answer"
          names={{ table: "Table", graph: "Graph", explain: "Explain" }} />
        <Controls state={state} change={change} />
        <span class="spring" />
        <span class="actions">
          <MetricsButton onPick={(name) => run(name)} />
          <HistoryButton onPick={(expr) => run(expr)} />
          <button type="button" class="small quiet" aria-pressed={state.showTree} onClick={() => change({ showTree: !state.showTree })}>Tree</button>
          <button type="button" class="small quiet" onClick={format} disabled={text.trim() === ""}>Format</button>
          <button type="button" class="small quiet" onClick={onDuplicate}>Duplicate</button>
          {onRemove && <button type="button" class="small quiet" aria-label="Remove this query" title="Remove this query" onClick={onRemove}>✕</button>}
        </span>
      </div>
      <div class="answer">
        {error && <Trouble>{error}</Trouble>}
        {showsWarnings && outcome?.tab === state.tab && outcome.warnings.map((warning) => <Note tone="warn" key={warning}>{warning}</Note>)}
        {showsInfos && outcome?.tab === state.tab && outcome.infos.map((info) => <Note tone="info" key={info}>{info}</Note>)}
        {state.showTree && state.tab !== "explain" && state.expr.trim() !== "" && <Tree expr={state.expr} />}
        <Shown state={state} round={round} outcome={outcome} isBusy={isBusy} hasError={error !== undefined} change={change} />
        <Figures outcome={outcome} isBusy={isBusy} tab={state.tab} />
      </div>
    </section>
  );
}

function Shown({ state, round, outcome, isBusy, hasError, change }: {
  state: State;
  round: number;
  outcome: Outcome | undefined;
  isBusy: boolean;
  hasError: boolean;
  change: (part: Partial<State>) => void;
}) {
  if (state.expr.trim() === "") {
    return (
      <Empty title="Nothing asked yet">
        Type an expression and press Enter. <code>up</code> says which targets answer; <b>Metrics</b> lists what there is to ask for.
      </Empty>
    );
  }
  if (state.tab === "explain") {
    return (
      <>
        <Plan expr={state.expr} endMs={state.endMs} rangeMs={state.rangeMs} stepMs={stepOf(state.resolution, state.rangeMs)} round={round} />
        <section class="plan" aria-label="Expression">
          <h3>Expression</h3>
          <p class="muted">What is computed from what.</p>
          <Tree expr={state.expr} />
        </section>
      </>
    );
  }
  if (hasError) return null;
  if (!outcome || outcome.tab !== state.tab) return isBusy ? <Waiting /> : null;
  if (outcome.instant) return <Table result={outcome.instant} />;
  const { series, exemplars, startMs, endMs, stepMs } = outcome.range!;
  const times = { startMs, endMs, stepMs };
  const zoom = (from: number, to: number) => change({ endMs: Math.round(to), rangeMs: Math.max(Math.round((to - from) / 1000) * 1000, 1000) });
  // Native histograms are no lines, whatever is chosen.
  const isHeat = state.display === "heatmap" || hasHistograms(series);
  const lines = isHeat ? series.filter((one) => one.values?.length && state.display !== "heatmap") : series;
  return (
    <>
      {isHeat && <Heatmap series={series} {...times} onZoom={zoom} />}
      {(!isHeat || lines.length > 0) && (
        <Graph series={lines} {...times} exemplars={exemplars} isStacked={state.display === "stacked"} yFromZero={state.yFromZero} onZoom={zoom} />
      )}
    </>
  );
}

function Controls({ state, change }: { state: State; change: (part: Partial<State>) => void }) {
  if (state.tab === "table") {
    return <MomentInput label="Evaluation time" value={state.momentMs} stepMs={state.rangeMs / 2} onChange={(momentMs) => change({ momentMs })} />;
  }
  return (
    <>
      <DurationInput label="Range" value={state.rangeMs} onChange={(rangeMs) => change({ rangeMs })}
        onLess={() => change({ rangeMs: narrower(state.rangeMs) })} onMore={() => change({ rangeMs: wider(state.rangeMs) })} />
      <MomentInput label="End time" value={state.endMs} stepMs={state.rangeMs / 2} onChange={(endMs) => change({ endMs })} />
      <ResolutionInput value={state.resolution} autoMs={stepOf(state.resolution, state.rangeMs)} onChange={(resolution) => change({ resolution })} />
      {state.tab === "graph" && <span class="choices" role="group" aria-label="Drawing">
        {(["stacked", "heatmap"] as const).map((display) => (
          <button type="button" key={display} aria-pressed={state.display === display} onClick={() => change({ display: state.display === display ? "lines" : display })}>
            {display === "stacked" ? "Stacked" : "Heat map"}
          </button>
        ))}
        <button type="button" aria-pressed={state.showExemplars} title="Single events behind the samples" onClick={() => change({ showExemplars: !state.showExemplars })}>Exemplars</button>
        <button type="button" aria-pressed={state.yFromZero} title="The axis begins at zero" onClick={() => change({ yFromZero: !state.yFromZero })}>From 0</button>
      </span>}
    </>
  );
}

function Figures({ outcome, isBusy, tab }: { outcome: Outcome | undefined; isBusy: boolean; tab: Tab }) {
  if (isBusy) return <p class="figures muted">asking …</p>;
  if (!outcome || outcome.tab !== tab) return <p class="figures" />;
  const parts = [
    roughDuration(Math.round(outcome.tookMs)),
    ...(outcome.stepMs ? [`resolution ${formatDuration(outcome.stepMs)}`] : []),
    `${formatCount(outcome.nSeries)} series`,
  ];
  return <p class="figures muted num">{parts.join(" · ")}</p>;
}

