//! Who hears of what: the tree of routes, and the way that an alert takes through it.

import { useMemo, useRef, useState } from "preact/hooks";
import { useAlertmanager } from "../base/api.js";
import { formatDuration } from "../base/duration.js";
import type { Labels } from "../base/format.js";
import { place, replaceSearch } from "../base/route.js";
import { useStore } from "../base/store.js";
import { Badge, Empty, LabelList, Note, Trouble, Waiting, type Tone } from "../parts/bits.js";
import { parseLabels, textOf } from "./matchers.js";
import { useKnownAlerts } from "./parts.js";

/** What becomes of an alert at a route: it is taken, handed on, does not match, or never comes there. */
type Outcome = "takes" | "passes" | "differs" | "unasked";

interface Route {
  id: string;
  receiver: string;
  matchers: string[];
  continue: boolean;
  groupBy: string[];
  groupWaitSeconds: number;
  groupIntervalSeconds: number;
  repeatIntervalSeconds: number;
  muteTimeIntervals: string[];
  activeTimeIntervals: string[];
  outcome?: Outcome;
  differing?: string[];
  groupLabels?: Labels;
  routes: Route[];
}

export function RoutesPage() {
  const { search } = useStore(place);
  const given = new URLSearchParams(search).get("labels") ?? "";
  const [text, setText] = useState(given);
  const labels = useMemo(() => parseLabels(text), [text]);
  const isAsked = labels !== null && Object.keys(labels).length > 0;
  const { data, error, reload } = useAlertmanager<Route | null>("vesta/v1/routes", { labels: isAsked ? JSON.stringify(labels) : undefined });
  // The tree stays while the next answer is on its way.
  const drawn = useRef(data);
  drawn.current = data ?? drawn.current;
  const change = (next: string) => {
    setText(next);
    replaceSearch(next.trim() ? String(new URLSearchParams({ labels: next })) : "");
  };
  return (
    <>
      <div class="page-head"><h1>Routes</h1><span class="muted">who hears of which alert, and how often</span></div>
      <section class="panel try">
        <label class="ask-labels">
          <span class="muted">Labels of an alert, to see where it goes</span>
          <textarea rows={2} value={text} spellcheck={false} autocapitalize="off" aria-invalid={labels === null}
            placeholder={'alertname="Down", severity="page" – also lines, JSON, or {…} as pasted from elsewhere'}
            onInput={(event) => change(event.currentTarget.value)} />
        </label>
        <Present onPick={change} />
        {labels === null && <Trouble>These are no labels: write them as name="value", with commas or line breaks between.</Trouble>}
        {isAsked && data && <Verdict root={data} labels={labels} />}
      </section>
      {error && <Trouble onRetry={reload}>{error}</Trouble>}
      {drawn.current === undefined && !error && <Waiting />}
      {data === null && <Empty title="No routes">No configuration has been loaded.</Empty>}
      {drawn.current && <section class="panel"><ul class="routes"><Branch route={drawn.current} /></ul></section>}
    </>
  );
}

const PRESENT_MAX = 200;

/** The alerts that there are now, to be tried. */
function Present({ onPick }: { onPick: (labels: string) => void }) {
  const alerts = useKnownAlerts();
  if (alerts.length === 0) return null;
  const texts = alerts.slice(0, PRESENT_MAX).map(({ labels }) => textOf(labels));
  return (
    <select aria-label="Take the labels of an alert" value="" onChange={(event) => onPick(event.currentTarget.value)}>
      <option value="">Take an alert that fires …</option>
      {[...new Set(texts)].map((text) => <option key={text} value={text}>{text.length > 110 ? `${text.slice(0, 109)}…` : text}</option>)}
    </select>
  );
}

function takersOf(route: Route): Route[] {
  return [...(route.outcome === "takes" ? [route] : []), ...route.routes.flatMap(takersOf)];
}

function Verdict({ root, labels }: { root: Route; labels: Labels }) {
  const takers = takersOf(root);
  const isMuted = takers.some((one) => one.muteTimeIntervals.length + one.activeTimeIntervals.length > 0);
  return (
    <div class="verdict" role="status">
      <p>
        <LabelList labels={labels} />{" goes to "}
        {takers.map((one, at) => <span key={one.id}>{at > 0 && ", "}<b><bdi>{one.receiver}</bdi></b></span>)}
        {takers.length === 0 && <b>nobody</b>}
        {takers[0] && <>{", in the group "}<LabelList labels={takers[0].groupLabels ?? {}} isNamed /></>}
      </p>
      {isMuted && <Note tone="info">A time interval may keep it quiet: see the route.</Note>}
    </div>
  );
}

const TONES: Record<Outcome, Tone> = { takes: "good", passes: "info", differs: "quiet", unasked: "quiet" };
const WORDS: Record<Outcome, string> = { takes: "takes it", passes: "hands it on", differs: "does not match", unasked: "never asked" };

function Branch({ route }: { route: Route }) {
  const { outcome, differing = [] } = route;
  return (
    <li class={outcome ?? ""}>
      <div class="route">
        <div class="route-head">
          {route.matchers.length > 0
            ? <span class="labels">{route.matchers.map((text) => <bdi key={text} class={`label ${differing.includes(text) && outcome === "differs" ? "differing" : ""}`}>{text}</bdi>)}</span>
            : <span class="muted">all alerts</span>}
          <span class="muted" aria-hidden="true">→</span>
          <b><bdi>{route.receiver}</bdi></b>
          {route.continue && <Badge tone="quiet" title="Later routes are asked too">goes on</Badge>}
          {outcome && <Badge tone={TONES[outcome]} title={why(route)}>{WORDS[outcome]}</Badge>}
        </div>
        <p class="muted route-times">{times(route)}</p>
        {outcome === "differs" && <p class="muted route-times">{why(route)}</p>}
      </div>
      {route.routes.length > 0 && <ul>{route.routes.map((child) => <Branch key={child.id} route={child} />)}</ul>}
    </li>
  );
}

function why({ outcome, differing = [], routes }: Route): string {
  switch (outcome) {
    case "takes": return routes.length > 0 ? "Its matchers hold, and no route below it takes the alert" : "Its matchers hold";
    case "passes": return "Its matchers hold, and a route below it takes the alert";
    case "differs": return `Not so: ${differing.join(", ")}`;
    default: return "An earlier route has taken the alert, or the one above does not match";
  }
}

function times(route: Route): string {
  const duration = (seconds: number) => formatDuration(seconds * 1000);
  const group = route.groupBy[0] === "..." ? "each alert alone" : route.groupBy.length > 0 ? `grouped by ${route.groupBy.join(", ")}` : "one group";
  return [
    group,
    `waits ${duration(route.groupWaitSeconds)}`,
    `then every ${duration(route.groupIntervalSeconds)}`,
    `repeats after ${duration(route.repeatIntervalSeconds)}`,
    ...(route.muteTimeIntervals.length > 0 ? [`quiet during ${route.muteTimeIntervals.join(", ")}`] : []),
    ...(route.activeTimeIntervals.length > 0 ? [`only during ${route.activeTimeIntervals.join(", ")}`] : []),
  ].join(" · ");
}
