//! What the pages of an Alertmanager share: the filter box, an alert, matchers.

import { useId, useMemo, useState } from "preact/hooks";
import { useAlertmanager } from "../base/api.js";
import type { Labels } from "../base/format.js";
import { href } from "../base/route.js";
import { Ago, Badge, LabelList } from "../parts/bits.js";
import { exactly, formatMatcher, formatMatchers, isSame, parseMatchers, type Matcher } from "./matchers.js";
import type { Alert } from "./types.js";

export function MatcherList({ matchers }: { matchers: Matcher[] }) {
  return <span class="labels">{matchers.map((matcher) => <bdi class="label" key={formatMatcher(matcher)}>{formatMatcher(matcher)}</bdi>)}</span>;
}

/** What a browser proposes is a list, not a search: longer ones help nobody. */
const PROPOSALS_MAX = 500;

/** The labels that alerts have now, to be proposed: each name with its values. */
export function useKnownLabels(): Map<string, Set<string>> {
  const alerts = useKnownAlerts();
  return useMemo(() => {
    const known = new Map<string, Set<string>>();
    for (const alert of alerts) {
      for (const [name, value] of Object.entries(alert.labels)) {
        known.set(name, (known.get(name) ?? new Set()).add(value));
      }
    }
    return known;
  }, [alerts]);
}

const NONE: Alert[] = [];

export function useKnownAlerts(): Alert[] {
  return useAlertmanager<Alert[]>("alerts").data ?? NONE;
}

export function Proposals({ id, all }: { id: string; all: Iterable<string> }) {
  return <datalist id={id}>{[...all].slice(0, PROPOSALS_MAX).map((one) => <option key={one} value={one} />)}</datalist>;
}

/** Matchers as chips that can be taken away, and a box for more. */
export function FilterBox({ matchers, onChange }: { matchers: Matcher[]; onChange: (matchers: Matcher[]) => void }) {
  const [text, setText] = useState("");
  const [isWrong, setWrong] = useState(false);
  const id = useId();
  const known = useKnownLabels();
  const proposals = useMemo(
    () => [...known].flatMap(([name, values]) => [...values].map((value) => formatMatcher({ name, value, isRegex: false, isEqual: true }))).sort(),
    [known],
  );
  const add = () => {
    const more = parseMatchers(text);
    setWrong(more === null);
    if (!more || more.length === 0) return;
    onChange([...matchers, ...more.filter((one) => !matchers.some((old) => isSame(old, one)))]);
    setText("");
  };
  return (
    <div class="filter-box">
      {matchers.map((matcher) => (
        <button type="button" class="label chip" key={formatMatcher(matcher)} title="Remove from the filter" onClick={() => onChange(matchers.filter((one) => one !== matcher))}>
          <bdi>{formatMatcher(matcher)}</bdi> <span aria-hidden="true">✕</span>
        </button>
      ))}
      <input type="text" value={text} aria-label="Filter by label" aria-invalid={isWrong} spellcheck={false} autocapitalize="off"
        placeholder={matchers.length > 0 ? "and …" : 'Filter, such as severity="page"'}
        list={id} autocomplete="off"
        onInput={(event) => { setText(event.currentTarget.value); setWrong(false); }}
        onKeyDown={(event) => {
          if (event.key === "Enter") add();
          if (event.key === "Backspace" && text === "" && matchers.length > 0) onChange(matchers.slice(0, -1));
        }}
        onBlur={() => text !== "" && add()} />
      <Proposals id={id} all={proposals} />
      {isWrong && <span class="wrong" role="alert">Write it as name="value"; also with != =~ !~</span>}
    </div>
  );
}

export function silenceLink(labels: Labels): string {
  return href(`/silences/new?${new URLSearchParams({ filter: formatMatchers(exactly(labels)) })}`);
}

/** Shows it whatever keeps it quiet. */
function alertLink(labels: Labels): string {
  const quiet = { silenced: "true", inhibited: "true", muted: "true" };
  return href(`/alerts?${new URLSearchParams({ filter: formatMatchers(exactly(labels)), ...quiet })}`);
}

/** Links from alerts come from elsewhere: only to the web. */
function webLink(url: string | undefined): string | undefined {
  return url && /^https?:\/\//.test(url) ? url : undefined;
}

export function AlertView({ alert, isShown = false, onPick }: {
  alert: Alert;
  /** Only shown: nothing is offered to be done. */
  isShown?: boolean;
  onPick?: (name: string, value: string) => void;
}) {
  const { silencedBy, inhibitedBy, mutedBy = [] } = alert.status;
  const source = webLink(alert.generatorURL);
  const annotations = Object.entries(alert.annotations);
  const isQuiet = silencedBy.length + inhibitedBy.length + mutedBy.length > 0;
  return (
    <article class={`alert ${isQuiet ? "is-quiet" : ""}`}>
      <div class="alert-head">
        <b class="rule-name"><bdi>{alert.labels.alertname ?? "(no name)"}</bdi></b>
        {silencedBy.map((id) => <a key={id} href={href(`/silences/${id}`)}><Badge tone="info">silenced</Badge></a>)}
        {inhibitedBy.length > 0 && <Badge tone="quiet" title={`By the alert ${inhibitedBy.join(", ")}`}>inhibited</Badge>}
        {mutedBy.length > 0 && <Badge tone="quiet" title={`By the time interval ${mutedBy.join(", ")}`}>muted</Badge>}
        {!isQuiet && alert.status.state === "active" && <Badge tone="bad">firing</Badge>}
        {alert.status.state === "unprocessed" && <Badge tone="quiet">not looked at yet</Badge>}
        <span class="muted">began <Ago time={alert.startsAt} /></span>
        <span class="spring" />
        {source && <a href={source} target="_blank" rel="noreferrer">Source</a>}
        {!isShown && <a class="muted" href={alertLink(alert.labels)} title="A link to this alert alone">Link</a>}
        {!isShown && <a class="muted" href={href(`/routes?${new URLSearchParams({ labels: formatMatchers(exactly(alert.labels)) })}`)} title="Which way it takes through the routes">Route</a>}
        {silencedBy.length === 0 && !isShown && <a class="button small" href={silenceLink(alert.labels)}>Silence</a>}
      </div>
      <LabelList labels={alert.labels} without={["alertname"]} onPick={onPick} />
      {annotations.length > 0 && (
        <dl class="annotations">
          {annotations.map(([name, value]) => (
            <div key={name}><dt>{name}</dt><dd><bdi>{webLink(value) ? <a href={value} target="_blank" rel="noreferrer">{value}</a> : value}</bdi></dd></div>
          ))}
        </dl>
      )}
    </article>
  );
}
