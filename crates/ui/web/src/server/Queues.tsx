//! How far behind each queue to remote storage is, as the server's own metrics say.

import { useApi } from "../base/api.js";
import { roughDuration } from "../base/duration.js";
import { formatCount } from "../base/format.js";
import { page } from "../page.js";
import { Badge, Empty, Trouble, Waiting } from "../parts/bits.js";

interface Family {
  name: string;
  metric: { label?: { name: string; value: string }[]; gauge?: { value?: number | string }; counter?: { value?: number | string } }[];
}

interface Queue {
  name: string;
  url: string;
  figures: Record<string, number>;
}

const PREFIX = "prometheus_remote_storage_";
const HIGHEST = "queue_highest_timestamp_seconds";
const SENT = "queue_highest_sent_timestamp_seconds";
const PATTERN = `${PREFIX}(${[HIGHEST, SENT, "samples_pending", "shards", "samples_failed_total"].join("|")})`;

export function readQueues(families: Family[]): Queue[] {
  const queues = new Map<string, Queue>();
  for (const { name, metric } of families) {
    for (const { label = [], gauge, counter } of metric) {
      const value = (wanted: string) => label.find((one) => one.name === wanted)?.value ?? "";
      const key = `${value("remote_name")} ${value("url")}`;
      if (key === " ") continue;
      const queue = queues.get(key) ?? { name: value("remote_name"), url: value("url"), figures: {} };
      queue.figures[name.slice(PREFIX.length)] = Number((gauge ?? counter)?.value ?? 0);
      queues.set(key, queue);
    }
  }
  return [...queues.values()];
}

/** Seconds from the newest sample that was given to the newest that was sent; unknown before the first. */
export function lagOf({ figures }: Queue): number | undefined {
  const [highest, sent] = [figures[HIGHEST] ?? 0, figures[SENT] ?? 0];
  return highest > 0 && sent > 0 ? Math.max(highest - sent, 0) : undefined;
}

const LATE_SECONDS = 60;

export function Queues({ isWriter }: { isWriter: boolean }) {
  const { data, error, reload } = useApi<Family[]>("status/self_metrics", { metric_name_pattern: PATTERN }, 5000);
  const queues = readQueues(data ?? []);
  return (
    <section class="panel">
      <header class="panel-head"><h2>Remote queues</h2><span class="muted">{page.role === "agent" ? "what was scraped goes here" : isWriter ? "this member sends" : "ready to go on where the writer stops"}</span></header>
      {error && <div class="foot"><Trouble onRetry={reload}>{error}</Trouble></div>}
      {!data && !error && <Waiting />}
      {data && queues.length === 0 && <Empty title="No remote storage">The configuration names none under <code>remote_write</code>.</Empty>}
      {queues.length > 0 && (
        <table class="list">
          <thead><tr><th scope="col">Queue</th><th scope="col" class="right">Behind</th><th scope="col" class="right">Waiting</th><th scope="col" class="right">Refused</th><th scope="col" class="right">Shards</th></tr></thead>
          <tbody>{queues.map((queue) => <Row key={queue.name + queue.url} queue={queue} isWriter={isWriter} />)}</tbody>
        </table>
      )}
    </section>
  );
}

function Row({ queue, isWriter }: { queue: Queue; isWriter: boolean }) {
  const { name, url, figures } = queue;
  const lag = lagOf(queue);
  const isLate = isWriter && (lag ?? 0) > LATE_SECONDS;
  return (
    <tr>
      <td class="breaks"><b>{name}</b> <span class="muted">{url}</span></td>
      <td class="right num nowrap" data-name="Behind">
        {lag === undefined ? <span class="muted">nothing sent yet</span> : isLate ? <Badge tone="warn">{roughDuration(lag * 1000)}</Badge> : lag === 0 ? "0s" : roughDuration(lag * 1000)}
      </td>
      <td class="right num" data-name="Waiting">{formatCount(figures.samples_pending ?? 0)}</td>
      <td class="right num" data-name="Refused">{formatCount(figures.samples_failed_total ?? 0)}</td>
      <td class="right num" data-name="Shards">{formatCount(figures.shards ?? 0)}</td>
    </tr>
  );
}
