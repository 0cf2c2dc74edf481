//! What has been told to whom lately, and how it went.

import { useState } from "preact/hooks";
import { useAlertmanager } from "../base/api.js";
import { roughDuration } from "../base/duration.js";
import { matchesText, searchable } from "../base/format.js";
import { Ago, Badge, Choices, Empty, LabelList, Moment, Scroll, SearchBox, Trouble, useSome, Waiting } from "../parts/bits.js";
import { countsOf, integrationName, OUTCOMES, TONES, WORDS, type Outcome, type Told } from "./told.js";

export function HistoryPage() {
  const { data, error, reload } = useAlertmanager<Told[]>("vesta/v1/notifications", { limit: 1000 }, 5000);
  const [filter, setFilter] = useState("");
  const [outcomes, setOutcomes] = useState<Outcome[]>([]);
  const found = (data ?? []).filter((told) =>
    (outcomes.length === 0 || outcomes.includes(told.outcome))
    && matchesText(filter, [told.receiver, told.integration, told.groupKey, told.error ?? "", ...searchable(told.groupLabels)]));
  const counts = Object.fromEntries(OUTCOMES.map((one) => [one, data?.filter((told) => told.outcome === one).length ?? 0]));
  const { some, more } = useSome(found, 100);
  return (
    <>
      <div class="page-head">
        <h1>History</h1>
        <Choices all={OUTCOMES} chosen={outcomes} counts={counts} onChange={setOutcomes} label="Outcome" tones={TONES} />
        <SearchBox value={filter} onInput={setFilter} label="Filter by receiver, group or error" />
      </div>
      {error && <Trouble onRetry={reload}>{error}</Trouble>}
      {!data && !error && <Waiting />}
      {data?.length === 0 && <Empty title="Nobody has been told anything yet">Each notification, and each attempt that failed, will stand here.</Empty>}
      {data && data.length > 0 && found.length === 0 && <Empty title="Nothing matches" />}
      {some.length > 0 && (
        <section class="panel">
          <Scroll>
            <table class="list">
              <thead><tr><th scope="col">When</th><th scope="col">Outcome</th><th scope="col">Receiver</th><th scope="col">Group</th><th scope="col">Why</th><th scope="col">Alerts</th><th scope="col" class="right">Attempts</th><th scope="col" class="right">Took</th></tr></thead>
              <tbody>{some.map((told, at) => <Row key={`${told.time} ${told.groupKey} ${at}`} told={told} />)}</tbody>
            </table>
          </Scroll>
          {more}
        </section>
      )}
    </>
  );
}

function Row({ told }: { told: Told }) {
  const { groupLabels, groupKey } = told;
  return (
    <>
      <tr>
        <td class="nowrap"><Moment time={told.time} /> <span class="muted">(<Ago time={told.time} />)</span></td>
        <td><Badge tone={TONES[told.outcome]}>{WORDS[told.outcome]}</Badge></td>
        <td><bdi>{told.receiver}</bdi> <span class="muted">{integrationName(told)}</span></td>
        <td title={groupKey}>{Object.keys(groupLabels).length > 0 ? <LabelList labels={groupLabels} /> : <span class="mono muted breaks">{groupKey}</span>}</td>
        <td data-name="Why">{told.reason ?? "–"}</td>
        <td data-name="Alerts">{countsOf(told)}</td>
        <td class="right num" data-name="Attempts">{told.attempts || "–"}</td>
        <td class="right num nowrap" data-name="Took">{told.seconds > 0 ? roughDuration(told.seconds * 1000) : "–"}</td>
      </tr>
      {told.error && <tr class="error-row"><td colSpan={8}><Trouble>{told.error}</Trouble></td></tr>}
    </>
  );
}
