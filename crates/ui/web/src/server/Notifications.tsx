//! What the server itself has to say: a reload that failed, a start that is under way.

import { useEffect, useState } from "preact/hooks";
import { ask, useApi } from "../base/api.js";
import { root } from "../page.js";
import { Ago } from "../parts/bits.js";

interface Notification {
  text: string;
  date: string;
  active: boolean;
}

const POLL_MS = 10_000;

export function Notifications() {
  const all = useNotifications();
  if (all.length === 0) return null;
  return (
    <details class="bell">
      <summary aria-label={`${all.length} notifications`}>⚠ {all.length}</summary>
      <ul>{all.map(({ text, date }) => <li key={text}>{text} <span class="muted"><Ago time={date} /></span></li>)}</ul>
    </details>
  );
}

/** Listens, or asks now and then where too many listen already. */
function useNotifications(): Notification[] {
  const [all, setAll] = useState<Notification[]>([]);
  useEffect(() => {
    let timer: ReturnType<typeof setInterval> | undefined;
    let source: EventSource | undefined;
    const poll = () => ask<Notification[]>("notifications").then(({ data }) => setAll(data ?? []), () => {});
    const begin = () => {
      if (source) return;
      // Those that still hold come first.
      setAll([]);
      const mine = source = new EventSource(`${root}api/v1/notifications/live`);
      mine.onmessage = ({ data }) => {
        const one = JSON.parse(String(data)) as Notification;
        setAll((now) => [...now.filter((other) => other.text !== one.text), ...(one.active ? [one] : [])]);
      };
      mine.onerror = () => {
        if (mine !== source || mine.readyState !== EventSource.CLOSED || timer) return;
        void poll();
        timer = setInterval(poll, POLL_MS);
      };
    };
    const end = () => {
      source?.close();
      clearInterval(timer);
      source = timer = undefined;
    };
    // A browser has six connections to a server for all of its tabs, and for the pages that it keeps
    // in case one goes back: what nobody sees must not hold one.
    const follow = () => (document.visibilityState === "visible" ? begin() : end());
    follow();
    document.addEventListener("visibilitychange", follow);
    addEventListener("pagehide", end);
    addEventListener("pageshow", follow);
    return () => {
      document.removeEventListener("visibilitychange", follow);
      removeEventListener("pagehide", end);
      removeEventListener("pageshow", follow);
      end();
    };
  }, []);
  return all;
}

interface Replay {
  min: number;
  max: number;
  current: number;
}

/** Shown while the log is replayed. */
export function Starting() {
  const { data } = useApi<Replay>("status/walreplay", {}, 1000);
  const total = data ? data.max - data.min + 1 : 0;
  const done = data ? Math.max(data.current - data.min, 0) : 0;
  return (
    <div class="empty" role="status">
      <strong>The server is starting</strong>
      <p>It reads its log; the page goes on by itself.</p>
      {data && data.max > 0 && <p><progress value={done} max={total} aria-label="Replay of the log" /> <span class="num">{`segment ${data.current} of ${data.max}`}</span></p>}
    </div>
  );
}
