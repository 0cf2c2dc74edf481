//! Who can be told, and how it went last.

import { useState } from "preact/hooks";
import { useAlertmanager } from "../base/api.js";
import { roughDuration } from "../base/duration.js";
import { matchesText } from "../base/format.js";
import { href } from "../base/route.js";
import { Ago, Badge, Empty, LabelList, Scroll, SearchBox, Trouble, Waiting } from "../parts/bits.js";
import { countsOf, integrationName, TONES, WORDS, type Told } from "./told.js";

interface Receiver {
  name: string;
  integrations: { integration: string; index: number; last?: Told }[];
}

export function ReceiversPage() {
  const { data, error, reload } = useAlertmanager<Receiver[]>("vesta/v1/receivers", {}, 10_000);
  const [filter, setFilter] = useState("");
  const found = (data ?? []).filter(({ name, integrations }) => matchesText(filter, [name, ...integrations.map((one) => one.integration)]));
  return (
    <>
      <div class="page-head">
        <h1>Receivers</h1>
        <SearchBox value={filter} onInput={setFilter} label="Filter by name or kind" />
      </div>
      {error && <Trouble onRetry={reload}>{error}</Trouble>}
      {!data && !error && <Waiting />}
      {data && found.length === 0 && <Empty title={data.length === 0 ? "No receivers" : "No receiver matches"} />}
      {found.length > 0 && (
        <section class="panel">
          <Scroll>
            <table class="list">
              <thead><tr><th scope="col">Receiver</th><th scope="col">Through</th><th scope="col">Last result</th><th scope="col">When</th><th scope="col">Of</th><th scope="col" class="right">Took</th></tr></thead>
              <tbody>{found.map((receiver) => <Rows key={receiver.name} receiver={receiver} />)}</tbody>
            </table>
          </Scroll>
        </section>
      )}
    </>
  );
}

function Rows({ receiver }: { receiver: Receiver }) {
  const { name, integrations } = receiver;
  const link = <a href={href(`/alerts?${new URLSearchParams({ receiver: name })}`)}><bdi>{name}</bdi></a>;
  if (integrations.length === 0) {
    return <tr><td>{link}</td><td class="muted" colSpan={5}>nobody: what comes here is told to no one</td></tr>;
  }
  return (
    <>
      {integrations.map((one, at) => (
        <tr key={integrationName(one)}>
          <td>{at === 0 && link}</td>
          <td class="nowrap">{integrationName(one)}</td>
          {one.last ? <Last told={one.last} /> : <td class="muted" colSpan={4}>not told anything lately</td>}
        </tr>
      ))}
    </>
  );
}

function Last({ told }: { told: Told }) {
  return (
    <>
      <td><Badge tone={TONES[told.outcome]}>{WORDS[told.outcome]}</Badge>{told.error && <div class="trouble"><Trouble>{told.error}</Trouble></div>}</td>
      <td class="nowrap"><Ago time={told.time} /></td>
      <td><LabelList labels={told.groupLabels} isNamed /> <span class="muted">{countsOf(told)}</span></td>
      <td class="right num nowrap" data-name="Took">{roughDuration(told.seconds * 1000)}</td>
    </>
  );
}
