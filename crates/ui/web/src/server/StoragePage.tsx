//! What fills the storage: the head, its blocks, and which names and labels have the most series.

import { useState } from "preact/hooks";
import { ask, messageOf, useApi } from "../base/api.js";
import { roughDuration } from "../base/duration.js";
import { formatBytes, formatCount, labelName, quote } from "../base/format.js";
import { useStore } from "../base/store.js";
import { Badge, Moment, Note, Scroll, SearchBox, second, Trouble, Waiting } from "../parts/bits.js";
import { TimeLine, type Row } from "../parts/TimeLine.js";
import { queryLink } from "./AlertsPage.js";
import { CardinalityWindow } from "./CardinalityWindow.js";

interface Count {
  name: string;
  value: number;
}

interface Status {
  headStats: { numSeries: number; numLabelPairs: number; chunkCount: number; minTime: number; maxTime: number };
  seriesCountByMetricName: Count[];
  labelValueCountByLabelName: Count[];
  memoryInBytesByLabelName: Count[];
  seriesCountByLabelValuePair: Count[];
}

interface Block {
  ulid: string;
  minTime: number;
  maxTime: number;
  stats?: { numSamples?: number; numSeries?: number; numChunks?: number };
  compaction?: { level?: number; hints?: string[] };
}

interface Class {
  /** Empty for what belongs to no class. */
  name: string;
  selectors: string[];
  /** Zero for any time. */
  seconds: number;
}

interface BlockList {
  blocks: Block[];
  retentionClasses?: Class[];
}

export function StoragePage() {
  const [limit, setLimit] = useState(10);
  const [drilled, setDrilled] = useState<string>();
  const { data, error, reload } = useApi<Status>("status/tsdb", { limit }, 60_000);
  const features = useApi<Record<string, Record<string, boolean>>>("features");
  return (
    <>
      <div class="page-head">
        <h1>Storage</h1>
        <label class="check">Show <select value={limit} onChange={(event) => setLimit(Number(event.currentTarget.value))}>
          {[10, 25, 100, 1000].map((count) => <option key={count} value={count}>{count}</option>)}
        </select> of each</label>
      </div>
      {error && <Trouble onRetry={reload}>{error}</Trouble>}
      {!data && !error && <Waiting />}
      {data && <Head head={data.headStats} />}
      <Blocks head={data?.headStats} />
      {data && (
        <div class="columns">
          <Counts title="Series by metric" unit="series" all={data.seriesCountByMetricName} link={(name) => queryLink(`{${quote(name)}}`)} onDrill={(name) => setDrilled(`{${quote(name)}}`)} />
          <Counts title="Series by label pair" unit="series" all={data.seriesCountByLabelValuePair} link={(pair) => queryLink(`count by (__name__) (${pairSelector(pair)})`)} onDrill={(pair) => setDrilled(pairSelector(pair))} />
          <Counts title="Values by label" unit="values" all={data.labelValueCountByLabelName} link={(name) => queryLink(`count by (${labelName(name)}) ({${labelName(name)}!=""})`)} onDrill={(name) => setDrilled(`{${labelName(name)}!=""}`)} />
          <Counts title="Bytes by label" unit="memory of its values" all={data.memoryInBytesByLabelName} show={formatBytes} />
        </div>
      )}
      {features.data?.api?.admin && <Admin />}
      {drilled && <CardinalityWindow selector={drilled} onClose={() => setDrilled(undefined)} />}
    </>
  );
}

function pairSelector(pair: string): string {
  const at = pair.indexOf("=");
  return `{${labelName(pair.slice(0, at))}=${quote(pair.slice(at + 1))}}`;
}

function Head({ head }: { head: Status["headStats"] }) {
  const isEmpty = head.numSeries === 0;
  return (
    <section class="panel">
      <header class="panel-head"><h2>Head</h2><span class="muted">the recent samples, in memory</span></header>
      <dl class="figures-row">
        <div><dt>Series</dt><dd>{formatCount(head.numSeries)}</dd></div>
        <div><dt>Chunks</dt><dd>{formatCount(head.chunkCount)}</dd></div>
        <div><dt>Label pairs</dt><dd>{formatCount(head.numLabelPairs)}</dd></div>
        <div><dt>Oldest sample</dt><dd>{isEmpty ? "–" : <Moment time={head.minTime} />}</dd></div>
        <div><dt>Newest sample</dt><dd>{isEmpty ? "–" : <Moment time={head.maxTime} />}</dd></div>
        <div><dt>Spans</dt><dd>{isEmpty ? "–" : roughDuration(head.maxTime - head.minTime)}</dd></div>
      </dl>
    </section>
  );
}

function Blocks({ head }: { head: Status["headStats"] | undefined }) {
  const { data, error } = useApi<BlockList>("status/tsdb/blocks", {}, 60_000);
  const blocks = data?.blocks ?? [];
  const classes = data?.retentionClasses ?? [];
  const hasClasses = classes.length > 1;
  return (
    <section class="panel">
      <header class="panel-head"><h2>Blocks</h2><span class="muted">the older samples, on disk</span></header>
      {error && <Trouble>{error}</Trouble>}
      {data && blocks.length === 0 && <p class="foot muted">None yet: the first is written once the head spans more than three hours.</p>}
      {data && <Retention classes={classes} blocks={blocks} />}
      {blocks.length > 0 && <Times blocks={blocks} classes={classes} head={head} />}
      {blocks.length > 0 && (
        <Scroll>
          <table class="list">
            <thead><tr><th scope="col">Block</th>{hasClasses && <th scope="col">Class</th>}<th scope="col">From</th><th scope="col">To</th><th scope="col">Spans</th><th scope="col" class="right">Level</th><th scope="col" class="right">Series</th><th scope="col" class="right">Chunks</th><th scope="col" class="right">Samples</th></tr></thead>
            <tbody>
              {blocks.map((block) => (
                <tr key={block.ulid}>
                  <td class="mono">{block.ulid}</td>
                  {hasClasses && <td data-name="Class">{classOf(block) || <span class="muted">{classOf(block) === undefined ? "several" : "all else"}</span>}</td>}
                  <td class="nowrap" data-name="From"><Moment time={block.minTime} /></td>
                  <td class="nowrap" data-name="To"><Moment time={block.maxTime} /></td>
                  <td class="nowrap" data-name="Spans">{roughDuration(block.maxTime - block.minTime)}</td>
                  <td class="right num" data-name="Level">{block.compaction?.level ?? "–"}</td>
                  <td class="right num" data-name="Series">{formatCount(block.stats?.numSeries ?? 0)}</td>
                  <td class="right num" data-name="Chunks">{formatCount(block.stats?.numChunks ?? 0)}</td>
                  <td class="right num" data-name="Samples">{formatCount(block.stats?.numSamples ?? 0)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </section>
  );
}

const HINT = /^vesta-retention-class:[0-9a-f]+:(.*)$/;

/** The name of a block's class; nothing if its series may be of several. */
function classOf(block: Block): string | undefined {
  return block.compaction?.hints?.map((hint) => HINT.exec(hint)?.[1]).find((name) => name !== undefined);
}

/** How long what is kept; said only where there is a choice. */
function Retention({ classes, blocks }: { classes: Class[]; blocks: Block[] }) {
  if (classes.length < 2) return null;
  return (
    <table class="list" aria-label="Retention">
      <thead><tr><th scope="col">Class</th><th scope="col">Kept for</th><th scope="col">Series that match one of</th><th scope="col" class="right">Blocks</th><th scope="col" class="right">Samples</th></tr></thead>
      <tbody>
        {classes.map((one) => {
          const own = blocks.filter((block) => classOf(block) === one.name);
          return (
            <tr key={one.name}>
              <td>{one.name ? <Badge tone="info">{one.name}</Badge> : <span class="muted">all else</span>}</td>
              <td class="num nowrap" data-name="Kept for">{one.seconds > 0 ? roughDuration(one.seconds * 1000) : "ever"}</td>
              <td>{one.selectors.map((text) => <code class="label" key={text}>{text}</code>)}</td>
              <td class="right num" data-name="Blocks">{formatCount(own.length)}</td>
              <td class="right num" data-name="Samples">{formatCount(own.reduce((sum, block) => sum + (block.stats?.numSamples ?? 0), 0))}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function Times({ blocks, classes, head }: { blocks: Block[]; classes: Class[]; head: Status["headStats"] | undefined }) {
  const nowMs = useStore(second);
  const names = classes.length > 1 ? [...classes.map((one) => one.name), undefined] : [undefined];
  const spanOf = (block: Block) => ({
    startMs: block.minTime, endMs: block.maxTime, tone: "plain" as const,
    title: `${block.ulid}, level ${block.compaction?.level ?? 1}: ${formatCount(block.stats?.numSamples ?? 0)} samples`,
  });
  const rows: Row[] = names.map((name) => ({
    name: name === undefined ? (classes.length > 1 ? "several" : "Blocks") : name || "all else",
    spans: blocks.filter((block) => classes.length < 2 || classOf(block) === name).map(spanOf),
  })).filter((row) => row.spans.length > 0);
  const hasHead = head && head.numSeries > 0;
  if (hasHead) rows.push({ name: "Head", spans: [{ startMs: head.minTime, endMs: head.maxTime, tone: "info", title: `Head: ${formatCount(head.numSeries)} series` }] });
  const startMs = Math.min(...blocks.map((block) => block.minTime));
  const endMs = Math.max(...blocks.map((block) => block.maxTime), hasHead ? Math.max(head.maxTime, Math.min(nowMs, head.maxTime + 3600_000)) : 0);
  return <TimeLine label={`${blocks.length} blocks on a time line; the table below lists them`} startMs={startMs} endMs={endMs} rows={rows} />;
}

function Counts({ title, unit, all, link, onDrill, show = formatCount }: {
  title: string;
  unit: string;
  all: Count[];
  link?: (name: string) => string;
  onDrill?: (name: string) => void;
  show?: (value: number) => string;
}) {
  const most = Math.max(...all.map((one) => one.value), 1);
  return (
    <section class="panel">
      <header class="panel-head"><h2>{title}</h2><span class="muted">{unit}</span></header>
      {all.length === 0 && <p class="foot muted">Nothing yet.</p>}
      <table class="list bars">
        <thead class="sr"><tr><th scope="col">Name</th><th scope="col">{unit}</th></tr></thead>
        <tbody>
          {all.map(({ name, value }) => (
            <tr key={name}>
              <td class="mono"><bdi>{link ? <a href={link(name)}>{name}</a> : name}</bdi></td>
              <td class="meter"><i ref={(bar) => { if (bar) bar.style.width = `${(value / most) * 100}%`; }} /></td>
              <td class="right num nowrap">
                {onDrill ? <button type="button" class="small quiet" title="Which labels make so many" aria-label={`${show(value)} of ${name}: which labels make so many`} onClick={() => onDrill(name)}>{show(value)}</button> : show(value)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** There only if the server takes such orders. */
function Admin() {
  const [selector, setSelector] = useState("");
  const [outcome, setOutcome] = useState<{ isGood: boolean; text: string }>();
  const order = async (path: string, params: Record<string, string>, done: string) => {
    try {
      await ask(path, params, { post: true });
      setOutcome({ isGood: true, text: done });
    } catch (reason) {
      setOutcome({ isGood: false, text: messageOf(reason) });
    }
  };
  return (
    <section class="panel">
      <header class="panel-head"><h2>Delete</h2><span class="muted">marks samples as deleted; cleaning frees the room</span></header>
      <form class="foot bar" onSubmit={(event) => {
        event.preventDefault();
        if (confirm(`Delete all samples of ${selector}?`)) void order("admin/tsdb/delete_series", { "match[]": selector }, `Deleted: ${selector}`);
      }}>
        <SearchBox value={selector} onInput={setSelector} label={'Selector, such as {job="old"}'} />
        <button type="submit" class="danger" disabled={selector.trim() === ""}>Delete series</button>
        <button type="button" onClick={() => void order("admin/tsdb/clean_tombstones", {}, "Cleaned.")}>Clean up</button>
        <button type="button" onClick={() => void order("admin/tsdb/snapshot", {}, "A snapshot was written below the data directory.")}>Snapshot</button>
      </form>
      {outcome && (outcome.isGood ? <Note tone="good">{outcome.text}</Note> : <Trouble>{outcome.text}</Trouble>)}
    </section>
  );
}

