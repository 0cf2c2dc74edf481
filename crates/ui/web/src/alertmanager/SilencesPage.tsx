//! Who asked for quiet, about what, until when.

import { useMemo, useState } from "preact/hooks";
import { askAlertmanager, messageOf, useAlertmanager } from "../base/api.js";
import { roughDuration } from "../base/duration.js";
import { go, href, place, replaceSearch } from "../base/route.js";
import { useStore } from "../base/store.js";
import { Ago, Badge, Empty, Moment, second, Tabs, Trouble, Waiting, type Tone } from "../parts/bits.js";
import { formatMatcher, formatMatchers, parseMatchers } from "./matchers.js";
import { Affected } from "./SilenceForm.js";
import { FilterBox, MatcherList } from "./parts.js";
import type { Silence, SilenceState } from "./types.js";

const STATES: readonly SilenceState[] = ["active", "pending", "expired"];
const TONES: Record<SilenceState, Tone> = { active: "info", pending: "warn", expired: "quiet" };
const EVERY_MS = 10_000;

export function SilencesPage() {
  const { search } = useStore(place);
  const matchers = useMemo(() => parseMatchers(new URLSearchParams(search).get("filter") ?? "") ?? [], [search]);
  const [chosen, setChosen] = useState<SilenceState>();
  const { data, error, reload } = useAlertmanager<Silence[]>("silences", { filter: matchers.map(formatMatcher) }, EVERY_MS);
  const counts = Object.groupBy(data ?? [], (silence) => silence.status.state);
  const state = chosen ?? STATES.find((one) => counts[one]?.length) ?? "active";
  const shown = counts[state] ?? [];
  return (
    <>
      <div class="page-head">
        <h1>Silences</h1>
        <Tabs all={STATES} chosen={state} onChange={setChosen} label="State"
          names={Object.fromEntries(STATES.map((one) => [one, <>{one} <span class="num">{counts[one]?.length ?? 0}</span></>]))} />
        <FilterBox matchers={matchers} onChange={(next) => replaceSearch(next.length > 0 ? String(new URLSearchParams({ filter: formatMatchers(next) })) : "")} />
        <span class="spring" />
        <a class="button primary" href={href("/silences/new")}>New silence</a>
      </div>
      {error && <Trouble onRetry={reload}>{error}</Trouble>}
      {!data && !error && <Waiting />}
      {data && shown.length === 0 && (
        <Empty title={`No ${state} silence`}>{state === "active" ? "A silence keeps alerts that match it from notifying anyone until it ends." : undefined}</Empty>
      )}
      {shown.map((silence) => <Row key={silence.id} silence={silence} onChange={reload} />)}
    </>
  );
}

function Row({ silence, onChange }: { silence: Silence; onChange: () => void }) {
  return (
    <section class="panel silence">
      <div class="alert">
        <div class="alert-head">
          <a href={href(`/silences/${silence.id}`)}><MatcherList matchers={silence.matchers} /></a>
          <span class="spring" />
          <Ends silence={silence} />
          <Actions silence={silence} onChange={onChange} />
        </div>
        <p><bdi>{silence.comment}</bdi> <span class="muted">— <bdi>{silence.createdBy || "nobody named"}</bdi></span></p>
      </div>
    </section>
  );
}

function Ends({ silence }: { silence: Silence }) {
  const now = useStore(second);
  const until = (time: string) => roughDuration(Math.max(Math.floor((Date.parse(time) - now) / 1000), 0) * 1000);
  switch (silence.status.state) {
    case "active": return <span class="muted">ends in <b class="num">{until(silence.endsAt)}</b></span>;
    case "pending": return <span class="muted">begins in <b class="num">{until(silence.startsAt)}</b></span>;
    default: return <span class="muted">ended <Ago time={silence.endsAt} /></span>;
  }
}

function Actions({ silence, onChange }: { silence: Silence; onChange: () => void }) {
  const [error, setError] = useState<string>();
  const isOver = silence.status.state === "expired";
  const expire = async () => {
    if (!confirm(`End this silence now?\n${silence.matchers.map(formatMatcher).join(", ")}`)) return;
    try {
      await askAlertmanager(`silence/${encodeURIComponent(silence.id)}`, {}, { method: "DELETE" });
      onChange();
    } catch (reason) {
      setError(messageOf(reason));
    }
  };
  return (
    <>
      <a class="button small" href={href(`/silences/${silence.id}/edit`)}>{isOver ? "Again" : "Edit"}</a>
      {!isOver && <button type="button" class="small danger" onClick={() => void expire()}>Expire</button>}
      {error && <Trouble>{error}</Trouble>}
    </>
  );
}

export function SilencePage({ id }: { id: string }) {
  const { data, error, reload } = useAlertmanager<Silence>(`silence/${encodeURIComponent(id)}`, {}, EVERY_MS);
  return (
    <>
      <div class="page-head">
        <h1>Silence</h1>
        {data && <Badge tone={TONES[data.status.state]}>{data.status.state}</Badge>}
        {data && <Ends silence={data} />}
        <span class="spring" />
        {data && <Actions silence={data} onChange={reload} />}
        <button type="button" class="quiet" onClick={() => go("/silences")}>All silences</button>
      </div>
      {error && <Trouble onRetry={reload}>{error}</Trouble>}
      {!data && !error && <Waiting />}
      {data && (
        <section class="panel">
          <dl class="pairs">
            <div><dt>Matches</dt><dd><MatcherList matchers={data.matchers} /></dd></div>
            <div><dt>Comment</dt><dd><bdi>{data.comment}</bdi></dd></div>
            {Object.entries(data.annotations ?? {}).map(([name, value]) => <div key={name}><dt>{name}</dt><dd><bdi>{value}</bdi></dd></div>)}
            <div><dt>Created by</dt><dd>{data.createdBy || "–"}</dd></div>
            <div><dt>From</dt><dd><Moment time={data.startsAt} /></dd></div>
            <div><dt>Until</dt><dd><Moment time={data.endsAt} /></dd></div>
            <div><dt>Changed</dt><dd><Ago time={data.updatedAt} /></dd></div>
            <div><dt>Id</dt><dd class="mono">{data.id}</dd></div>
          </dl>
        </section>
      )}
      {data && data.status.state !== "expired" && <Affected matchers={data.matchers} />}
    </>
  );
}
