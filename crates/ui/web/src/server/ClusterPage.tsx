//! Several servers as one: who is there, who writes, what is lacking and being repaired.

import { useApi } from "../base/api.js";
import { roughDuration } from "../base/duration.js";
import { formatBytes, formatCount } from "../base/format.js";
import { useStore } from "../base/store.js";
import { Ago, Badge, Empty, Moment, Scroll, second, Trouble, Waiting } from "../parts/bits.js";
import { TimeLine, type Row, type Span } from "../parts/TimeLine.js";
import { Queues } from "./Queues.js";

interface Member {
  id: string;
  name: string;
  gossipAddress: string;
  storeAddress: string;
  webUrl: string;
  version: string;
  isSelf: boolean;
  isLive: boolean;
  clockOffsetSeconds: number;
  hasSameConfig: boolean;
  since: string;
  bytesSent: number;
  bytesReceived: number;
}

/** Seconds since the epoch. */
interface Range {
  start: number;
  end: number;
}

interface Lease {
  backend: string;
  holder: string;
  epoch: number;
  isMine: boolean;
  expiresInSeconds?: number;
  error?: string;
}

interface Repair {
  doing?: Range;
  windowsCompared: number;
  windowsDifferent: number;
  samplesWritten: number;
  bytesFetched: number;
  lastError?: string;
  mended: (Range & { member: string; finished: number; samples: number })[];
  peers: { member: string; uncheckedSeconds: number; lastCompared?: number; error?: string }[];
}

interface Share {
  member: string;
  asks: number;
  holds: number;
}

interface Status {
  enabled: boolean;
  name: string;
  replicationFactor: number;
  members: Member[];
  lease: Lease;
  holes: Range[];
  repair: Repair;
  targets: Share[];
}

const EVERY_MS = 2000;

export function ClusterPage() {
  const { data, error, reload } = useApi<Status>("status/cluster", {}, EVERY_MS);
  const nLive = data?.enabled ? data.members.filter(isThere).length : 0;
  return (
    <>
      <div class="page-head">
        <h1>Cluster</h1>
        {data?.enabled && (
          <>
            <Badge tone={nLive === data.members.length ? "good" : "bad"}>{`${nLive} of ${data.members.length} live`}</Badge>
            {data.name && <bdi class="muted">{data.name}</bdi>}
            <span class="muted">{copies(data)}</span>
          </>
        )}
      </div>
      {error && <Trouble onRetry={reload}>{error}</Trouble>}
      {!data && !error && <Waiting />}
      {data && !data.enabled && <Alone />}
      {data?.enabled && (
        <>
          <Members status={data} />
          <div class="columns spaced">
            <Writer lease={data.lease} />
            <Queues isWriter={data.lease.isMine} />
          </div>
          <Gaps holes={data.holes} repair={data.repair} />
        </>
      )}
    </>
  );
}

function isThere(member: Member): boolean {
  return member.isLive || member.isSelf;
}

function copies({ replicationFactor, members }: Status): string {
  if (replicationFactor === 0 || replicationFactor >= members.length) return "each member has all targets";
  return replicationFactor === 1 ? "each target is on one member" : `each target is on ${replicationFactor} members`;
}

/** No cluster is no error. */
function Alone() {
  return (
    <>
      <section class="panel">
        <Empty title="This server stands alone">
          Start two or three with the same configuration, each with <code>--cluster.listen-address</code> and a <code>--cluster.peer</code> for
          every other one. They then act as one: no gap, no double, the same answer from each; and one of them writes to remote storage.
        </Empty>
      </section>
      <Queues isWriter />
    </>
  );
}

function Members({ status }: { status: Status }) {
  const { members, lease, targets } = status;
  const shareOf = (member: Member) => targets.find((share) => share.member === member.name);
  return (
    <section class="panel">
      <header class="panel-head"><h2>Members</h2><span class="muted">as this one sees them</span></header>
      <Scroll>
        <table class="list">
          <thead>
            <tr>
              <th scope="col">Member</th><th scope="col">State</th><th scope="col">Version</th><th scope="col">Since</th>
              <th scope="col" class="right">Asks</th><th scope="col" class="right">Holds</th><th scope="col" class="right">Clock</th>
              <th scope="col">Gossip, store</th><th scope="col" class="right">Sent, received</th>
            </tr>
          </thead>
          <tbody>
            {members.map((member) => (
              <tr key={member.id}>
                <td class="breaks"><Name member={member} /></td>
                <td>
                  <span class="words">
                    <Badge tone={isThere(member) ? "good" : "bad"}>{isThere(member) ? "live" : "away"}</Badge>
                    {member.name === lease.holder && <Badge tone="info">writes</Badge>}
                    {!member.hasSameConfig && !member.isSelf && <Badge tone="warn" title="It works by another configuration; scrapes are not shared with it">other configuration</Badge>}
                  </span>
                </td>
                <td data-name="Version"><span class={members.some((other) => other.version && other.version !== members[0]!.version) ? "different" : ""}>{member.version || "–"}</span></td>
                <td class="nowrap" data-name="Since"><Ago time={member.since} /></td>
                <td class="right num" data-name="Targets that it asks">{formatCount(shareOf(member)?.asks ?? 0)}</td>
                <td class="right num" data-name="Targets whose samples it has">{formatCount(shareOf(member)?.holds ?? 0)}</td>
                <td class="right num nowrap" data-name="Clock">{clock(member)}</td>
                <td class="mono breaks" data-name="Gossip, store">{member.gossipAddress}<br />{member.storeAddress}</td>
                <td class="right num nowrap" data-name="Sent, received">{member.isSelf ? "–" : `${formatBytes(member.bytesSent)}, ${formatBytes(member.bytesReceived)}`}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </section>
  );
}

function Name({ member }: { member: Member }) {
  const isLink = !member.isSelf && /^https?:\/\//.test(member.webUrl);
  const name = <b>{member.name}</b>;
  return (
    <>
      {isLink ? <a href={`${member.webUrl.replace(/\/$/, "")}/cluster`} target="_blank" rel="noreferrer">{name}</a> : name}
      {member.isSelf && <span class="muted"> (this one)</span>}
    </>
  );
}

function clock({ isSelf, isLive, clockOffsetSeconds }: Member): string {
  if (isSelf || !isLive) return "–";
  const millis = Math.round(clockOffsetSeconds * 1000);
  return millis === 0 ? "same" : `${millis > 0 ? "+" : "−"}${roughDuration(Math.abs(millis))}`;
}

function Writer({ lease }: { lease: Lease }) {
  return (
    <section class="panel">
      <header class="panel-head"><h2>Who writes</h2><span class="muted">to remote storage</span></header>
      <dl class="figures-row">
        <div><dt>Writer</dt><dd>{lease.holder ? <>{lease.holder}{lease.isMine && <small class="muted"> (this one)</small>}</> : <Badge tone="bad">nobody now</Badge>}</dd></div>
        <div><dt>Epoch</dt><dd>{lease.epoch}</dd></div>
        <div><dt>Decided by</dt><dd>{lease.backend}</dd></div>
        {lease.expiresInSeconds !== undefined && <div><dt>Unless renewed, ends in</dt><dd>{roughDuration(lease.expiresInSeconds * 1000)}</dd></div>}
      </dl>
      {lease.error && <div class="foot"><Trouble>{lease.error}</Trouble></div>}
    </section>
  );
}

/** Shown at least. */
const SPAN_MS = 3600_000;
/** Older gaps are shown as if they began here. */
const SPAN_MAX_MS = 15 * 24 * 3600_000;

function Gaps({ holes, repair }: { holes: Range[]; repair: Repair }) {
  const nowMs = useStore(second);
  const oldest = Math.min(nowMs - SPAN_MS, ...[...holes, ...repair.mended, ...(repair.doing ? [repair.doing] : [])].map((range) => range.start * 1000));
  const startMs = Math.max(oldest, nowMs - SPAN_MAX_MS);
  const spanOf = (range: Range, tone: Span["tone"], title: string): Span => ({ startMs: range.start * 1000, endMs: Math.min(range.end * 1000, nowMs), tone, title });
  const lacking = holes.filter((hole) => hole.start * 1000 < nowMs);
  const rows: Row[] = [
    { name: "Gaps", spans: lacking.map((hole) => spanOf(hole, "bad", "May lack samples; queries ask the other members here")) },
    { name: "Comparing", spans: repair.doing ? [spanOf(repair.doing, "info", "Being compared with another member")] : [] },
    { name: "Repaired", spans: repair.mended.map((one) => spanOf(one, "good", `${formatCount(one.samples)} samples came from ${one.member}`)) },
  ];
  const state = lacking.length === 0 ? <Badge tone="good">whole</Badge> : <Badge tone="warn">{lacking.length === 1 ? "1 gap" : `${lacking.length} gaps`}</Badge>;
  return (
    <section class="panel">
      <header class="panel-head"><h2>Gaps and repairs</h2>{state}<span class="muted">of this member's own samples</span></header>
      <TimeLine label={`Gaps and repairs on a time line: ${lacking.length} gaps, ${repair.mended.length} repairs`} startMs={startMs} endMs={nowMs} rows={rows} />
      <dl class="figures-row">
        <div><dt>Windows compared</dt><dd>{formatCount(repair.windowsCompared)}</dd></div>
        <div><dt>Different</dt><dd>{formatCount(repair.windowsDifferent)}</dd></div>
        <div><dt>Samples repaired</dt><dd>{formatCount(repair.samplesWritten)}</dd></div>
        <div><dt>Fetched</dt><dd>{formatBytes(repair.bytesFetched)}</dd></div>
      </dl>
      {repair.lastError && <div class="foot"><Trouble>{repair.lastError}</Trouble></div>}
      {repair.peers.length > 0 && <Peers all={repair.peers} />}
      {repair.mended.length > 0 && <Mended all={repair.mended} />}
    </section>
  );
}

function Peers({ all }: { all: Repair["peers"] }) {
  return (
    <table class="list">
      <thead><tr><th scope="col">Compared with</th><th scope="col">Last</th><th scope="col">Still to be compared</th></tr></thead>
      <tbody>
        {all.map((peer) => (
          <tr key={peer.member}>
            <td><b>{peer.member}</b></td>
            <td data-name="Last">{peer.lastCompared === undefined ? <span class="muted">not yet</span> : <Ago time={peer.lastCompared * 1000} />}</td>
            <td data-name="Still to be compared">{peer.uncheckedSeconds > 0 ? roughDuration(peer.uncheckedSeconds * 1000) : "nothing"}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const MENDED_SHOWN = 10;

function Mended({ all }: { all: Repair["mended"] }) {
  return (
    <table class="list">
      <thead><tr><th scope="col">Repaired</th><th scope="col">From</th><th scope="col">To</th><th scope="col">Taken from</th><th scope="col" class="right">Samples</th></tr></thead>
      <tbody>
        {all.toReversed().slice(0, MENDED_SHOWN).map((one, at) => (
          <tr key={at}>
            <td class="nowrap"><Ago time={one.finished * 1000} /></td>
            <td class="nowrap" data-name="From"><Moment time={one.start * 1000} /></td>
            <td class="nowrap" data-name="To"><Moment time={one.end * 1000} /></td>
            <td data-name="Taken from">{one.member}</td>
            <td class="right num" data-name="Samples">{formatCount(one.samples)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
