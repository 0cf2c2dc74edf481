//! A silence is made or changed here, with a look at what it would quiet.

import { useEffect, useId, useState } from "preact/hooks";
import { askAlertmanager, messageOf, useAlertmanager } from "../base/api.js";
import { formatDuration, parseDuration } from "../base/duration.js";
import { go, place } from "../base/route.js";
import { isUtc, persisted, useStore } from "../base/store.js";
import { formatTime, parseTime } from "../base/time.js";
import { Empty, Trouble, useSome, Waiting } from "../parts/bits.js";
import { CalendarButton } from "../parts/Calendar.js";
import type { Labels } from "../base/format.js";
import { formatMatcher, OPERATORS, operatorOf, parseLabels, parseMatchers, textOf, withOperator, type Matcher, type Operator } from "./matchers.js";
import { AlertView, Proposals, useKnownLabels } from "./parts.js";
import type { Alert, Silence } from "./types.js";

export const creator = persisted("creator", "");
const reasons = persisted<string[]>("reasons", []);
const HOUR = 3600_000;
const DURATIONS = ["30m", "1h", "2h", "8h", "1d", "1w"];

interface Draft {
  id?: string;
  startMs: number;
  endMs: number;
  matchers: Matcher[];
  createdBy: string;
  comment: string;
  annotations?: Labels;
}

export function NewSilencePage() {
  const { search } = useStore(place);
  const params = new URLSearchParams(search);
  const matchers = parseMatchers(params.get("filter") ?? "") ?? [];
  const now = Date.now();
  return <Form key={search} title="New silence" initial={{
    startMs: now, endMs: now + 2 * HOUR, createdBy: creator.get(), comment: params.get("comment") ?? "",
    matchers: matchers.length > 0 ? matchers : [EMPTY],
  }} />;
}

const EMPTY: Matcher = { name: "", value: "", isRegex: false, isEqual: true };

export function EditSilencePage({ id }: { id: string }) {
  const { data, error, reload } = useAlertmanager<Silence>(`silence/${encodeURIComponent(id)}`);
  if (error) return <Trouble onRetry={reload}>{error}</Trouble>;
  if (!data) return <Waiting />;
  const isOver = data.status.state === "expired";
  const [start, end] = [Date.parse(data.startsAt), Date.parse(data.endsAt)];
  const now = Date.now();
  // One that is over is made anew, as long as it was.
  const times = isOver ? { startMs: now, endMs: now + Math.max(end - start, 60_000) } : { startMs: start, endMs: end };
  return <Form key={id} title={isOver ? "Silence again" : "Edit silence"} initial={{
    ...times, id: isOver ? undefined : data.id, matchers: data.matchers, createdBy: data.createdBy, comment: data.comment, annotations: data.annotations,
  }} />;
}

function Form({ title, initial }: { title: string; initial: Draft }) {
  const [draft, setDraft] = useState(initial);
  const [error, setError] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const [notes, setNotes] = useState(() => textOf(initial.annotations ?? {}));
  const annotations = parseLabels(notes);
  const change = (part: Partial<Draft>) => setDraft({ ...draft, ...part });
  const known = useKnownLabels();
  const matchers = draft.matchers.filter((matcher) => matcher.name !== "");
  const matchesAll = matchers.every((matcher) => operatorOf(matcher) !== "=" || matcher.value === "");
  const complaint = annotations === null ? "Write annotations as name=\"value\", a line each." : complaintOf(draft, matchers);
  const submit = async () => {
    setBusy(true);
    try {
      creator.set(draft.createdBy);
      rememberReason(draft.comment);
      const body = {
        ...(draft.id ? { id: draft.id } : {}), ...(annotations && Object.keys(annotations).length > 0 ? { annotations } : {}), matchers, createdBy: draft.createdBy, comment: draft.comment,
        startsAt: new Date(draft.startMs).toISOString(), endsAt: new Date(draft.endMs).toISOString(),
      };
      const { silenceID } = await askAlertmanager<{ silenceID: string }>("silences", {}, {
        method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
      });
      go(`/silences/${silenceID}`);
    } catch (reason) {
      setError(messageOf(reason));
      setBusy(false);
    }
  };
  return (
    <>
      <div class="page-head"><h1>{title}</h1></div>
      <form class="panel form" onSubmit={(event) => {
        event.preventDefault();
        if (complaint) setError(complaint);
        else void submit();
      }}>
        <Times draft={draft} onChange={change} />
        <fieldset>
          <legend>Matches alerts with all of</legend>
          {draft.matchers.map((matcher, at) => (
            <MatcherRow key={at} matcher={matcher} known={known}
              onChange={(next) => change({ matchers: draft.matchers.map((one, other) => (other === at ? next : one)) })}
              onPaste={(many) => change({ matchers: [...draft.matchers.slice(0, at), ...many, ...draft.matchers.slice(at + 1)] })}
              onRemove={draft.matchers.length > 1 ? () => change({ matchers: draft.matchers.filter((_, other) => other !== at) }) : undefined} />
          ))}
          <button type="button" class="small" onClick={() => change({ matchers: [...draft.matchers, EMPTY] })}>Add a matcher</button>
          {matchers.length > 0 && matchesAll && <p class="muted">Nothing here names one value: this may match more than meant.</p>}
        </fieldset>
        <div class="two">
          <label>Your name<input type="text" value={draft.createdBy} autocomplete="name" onInput={(event) => change({ createdBy: event.currentTarget.value })} /></label>
          <label class="wide">Why<textarea rows={2} value={draft.comment} placeholder="What is known, and a link to more" onInput={(event) => change({ comment: event.currentTarget.value })} /></label>
        </div>
        <Reasons onPick={(comment) => change({ comment })} />
        <label>Annotations
          <textarea rows={1} value={notes} spellcheck={false} placeholder={'Such as ticket="OPS-1", a line each'} aria-invalid={annotations === null}
            onInput={(event) => setNotes(event.currentTarget.value)} />
        </label>
        {error && <Trouble>{error}</Trouble>}
        <div class="bar">
          <button type="submit" class="primary" disabled={isBusy}>{draft.id ? "Save" : "Silence"}</button>
          <button type="button" onClick={() => window.history.back()}>Cancel</button>
        </div>
      </form>
      <Affected matchers={matchers} />
    </>
  );
}

const REASONS = ["Planned maintenance: ", "Known, being worked on: ", "False alarm, the rule is being mended: "];
const OWN_MAX = 5;

function rememberReason(comment: string) {
  const text = comment.trim();
  reasons.set([text, ...reasons.get().filter((old) => old !== text)].slice(0, OWN_MAX));
}

/** Words to begin with, and what was written here before. */
function Reasons({ onPick }: { onPick: (comment: string) => void }) {
  const own = useStore(reasons);
  return (
    <div class="choices" role="group" aria-label="Reasons to begin with">
      {[...own, ...REASONS].map((text) => (
        <button type="button" key={text} title={text} onClick={() => onPick(text)}>{text.length > 60 ? `${text.slice(0, 59)}…` : text.replace(/: $/, " …")}</button>
      ))}
    </div>
  );
}

function complaintOf(draft: Draft, matchers: Matcher[]): string | undefined {
  if (matchers.length === 0) return "Name at least one label to match.";
  if (draft.endMs <= draft.startMs) return "The end is not after the start.";
  if (draft.createdBy.trim() === "") return "Say who you are: others will want to ask.";
  if (draft.comment.trim() === "") return "Say why: others will wonder.";
  return undefined;
}

/** Start, duration and end: whichever is changed, the others follow. */
function Times({ draft, onChange }: { draft: Draft; onChange: (part: Partial<Draft>) => void }) {
  const utc = useStore(isUtc);
  const span = draft.endMs - draft.startMs;
  const zone = utc ? "UTC" : "local time";
  return (
    <div class="times">
      <MomentField label={`From (${zone})`} shown={formatTime(draft.startMs, utc)} take={(text) => {
        const startMs = parseTime(text, utc);
        if (startMs !== null) onChange({ startMs, endMs: startMs + span });
        return startMs !== null;
      }} />
      <SpanField shown={span > 0 ? formatDuration(Math.round(span / 1000) * 1000) : ""} take={(text) => {
        const millis = parseDuration(text);
        if (millis) onChange({ endMs: draft.startMs + millis });
        return Boolean(millis);
      }} />
      <MomentField label={`Until (${zone})`} shown={formatTime(draft.endMs, utc)} take={(text) => {
        const endMs = parseTime(text, utc);
        if (endMs !== null) onChange({ endMs });
        return endMs !== null;
      }} />
      <div class="choices" role="group" aria-label="Common durations">
        {DURATIONS.map((text) => (
          <button type="button" key={text} aria-pressed={Math.abs(span - parseDuration(text)!) < 1000} onClick={() => onChange({ endMs: draft.startMs + parseDuration(text)! })}>{text}</button>
        ))}
      </div>
    </div>
  );
}

/** Text that is taken when it is left, or is marked when it cannot be. */
function useTaken(shown: string, take: (text: string) => boolean) {
  const [text, setText] = useState(shown);
  const [isWrong, setWrong] = useState(false);
  useEffect(() => setText(shown), [shown]);
  return {
    class: "num",
    value: text,
    "aria-invalid": isWrong,
    spellcheck: false,
    onInput: (event: InputEvent) => {
      setText((event.currentTarget as HTMLInputElement).value);
      setWrong(false);
    },
    onChange: (event: Event) => setWrong(!take((event.currentTarget as HTMLInputElement).value)),
  } as const;
}

interface FieldProps {
  shown: string;
  take: (text: string) => boolean;
}

function SpanField({ shown, take }: FieldProps) {
  return <label>For<input type="text" {...useTaken(shown, take)} /></label>;
}

function MomentField({ label, shown, take }: FieldProps & { label: string }) {
  const id = useId();
  const field = useTaken(shown, take);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <span class="joined">
        <input type="text" id={id} title="As 2026-03-01 12:30:00" {...field} />
        <CalendarButton label={label} text={field.value} onPick={(day) => take(day + (field.value.slice(10) || " 00:00:00"))} />
      </span>
    </div>
  );
}

function MatcherRow({ matcher, known, onChange, onPaste, onRemove }: {
  matcher: Matcher;
  known: Map<string, Set<string>>;
  onChange: (matcher: Matcher) => void;
  onPaste: (matchers: Matcher[]) => void;
  onRemove?: () => void;
}) {
  const id = useId();
  return (
    <div class="matcher-row">
      <Proposals id={`${id}-names`} all={known.keys()} />
      <Proposals id={`${id}-values`} all={known.get(matcher.name) ?? []} />
      <input list={`${id}-names`} autocomplete="off" type="text" aria-label="Label" placeholder="label" value={matcher.name} spellcheck={false} autocapitalize="off"
        onInput={(event) => onChange({ ...matcher, name: event.currentTarget.value })}
        onPaste={(event) => {
          // Matchers that were copied from elsewhere fill several rows.
          const many = parseMatchers(event.clipboardData?.getData("text") ?? "");
          if (!many || many.length === 0) return;
          event.preventDefault();
          onPaste(many);
        }} />
      <select aria-label="Comparison" value={operatorOf(matcher)} onChange={(event) => onChange(withOperator(matcher, event.currentTarget.value as Operator))}>
        {OPERATORS.map((operator) => <option key={operator}>{operator}</option>)}
      </select>
      <input list={`${id}-values`} autocomplete="off" type="text" aria-label="Value" placeholder="value" value={matcher.value} spellcheck={false} autocapitalize="off" onInput={(event) => onChange({ ...matcher, value: event.currentTarget.value })} />
      {onRemove && <button type="button" class="quiet" aria-label="Remove this matcher" onClick={onRemove}>✕</button>}
    </div>
  );
}

/** The alerts that are there now and match. */
export function Affected({ matchers }: { matchers: Matcher[] }) {
  const { data, error } = useAlertmanager<Alert[]>("alerts", { filter: matchers.map(formatMatcher), active: true, silenced: true, inhibited: true, unprocessed: true }, 10_000);
  const alerts = data ?? [];
  const { some, more } = useSome(alerts, 50);
  if (matchers.length === 0) return null;
  return (
    <section class="panel">
      <header class="panel-head"><h2>{data ? `Matches ${alerts.length} ${alerts.length === 1 ? "alert" : "alerts"} now` : "Matches"}</h2></header>
      {error && <Trouble>{error}</Trouble>}
      {data && alerts.length === 0 && <Empty title="None at the moment">It would quiet those that come.</Empty>}
      {some.map((alert) => <AlertView key={alert.fingerprint} alert={alert} isShown />)}
      {more}
    </section>
  );
}
