//! The small parts that all pages share.

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { roughDuration } from "../base/duration.js";
import { formatCount, type Labels } from "../base/format.js";
import { isUtc, store, useStore } from "../base/store.js";
import { formatTime, isNever } from "../base/time.js";

export type Tone = "good" | "warn" | "bad" | "info" | "quiet";

export function Badge({ tone, children, title }: { tone: Tone; children: ComponentChildren; title?: string }) {
  return <span class={`badge ${tone}`} title={title}>{children}</span>;
}

/** What is wrong, in the server's words. */
export function Trouble({ children, onRetry }: { children: ComponentChildren; onRetry?: () => void }) {
  return (
    <div class="note bad" role="alert">
      <span>{children}</span>
      {onRetry && <button type="button" class="small" onClick={onRetry}>Try again</button>}
    </div>
  );
}

export function Note({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return <div class={`note ${tone}`} role="status"><span>{children}</span></div>;
}

/** Nothing to show, and what to do about it. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <strong>{title}</strong>
      {children && <p>{children}</p>}
    </div>
  );
}

/** Lines where text will be, so that nothing jumps. */
export function Waiting() {
  return <div class="waiting" role="status" aria-label="Loading"><i /><i /><i /></div>;
}

export function LabelList({ labels, without = [], onPick, isNamed = false }: {
  labels: Labels;
  without?: string[];
  onPick?: (name: string, value: string) => void;
  /** Says so where there are no labels. */
  isNamed?: boolean;
}) {
  const pairs = Object.entries(labels).filter(([name]) => !without.includes(name));
  return (
    <span class="labels">
      {pairs.map(([name, value]) => {
        const text = <><span class="label-name">{name}=</span><bdi>{`"${value}"`}</bdi></>;
        return onPick
          ? <button type="button" class="label" key={name} title={`Show only ${name}="${value}"`} onClick={() => onPick(name, value)}>{text}</button>
          : <span class="label" key={name}>{text}</span>;
      })}
      {pairs.length === 0 && isNamed && <span class="muted">{"{}"}</span>}
    </span>
  );
}

/** A name and labels as PromQL has them. */
export function Series({ labels }: { labels: Labels }) {
  const pairs = Object.entries(labels).filter(([name]) => name !== "__name__");
  return (
    <span class="series">
      <span class="metric-name">{labels.__name__}</span>
      {(pairs.length > 0 || !labels.__name__) && "{"}
      {pairs.map(([name, value], at) => (
        <span key={name}>
          {at > 0 && ", "}
          <span class="label-name">{name}</span>=<bdi class="label-value">{JSON.stringify(value)}</bdi>
        </span>
      ))}
      {(pairs.length > 0 || !labels.__name__) && "}"}
    </span>
  );
}

/** Ticks once a second for all that is shown relative to now. */
export const second = store(Date.now());
setInterval(() => document.visibilityState === "visible" && second.set(Date.now()), 1000);

/** `12s ago`, with the moment itself on hover. */
export function Ago({ time }: { time: string | number | undefined }) {
  const now = useStore(second);
  const utc = useStore(isUtc);
  if (time === undefined || (typeof time === "string" && isNever(time))) return <span class="muted">never</span>;
  const millis = typeof time === "number" ? time : Date.parse(time);
  const age = Math.max(now - millis, 0);
  return (
    <time dateTime={new Date(millis).toISOString()} title={`${formatTime(millis, utc)}${utc ? " UTC" : ""}`}>
      {age < 1000 ? "just now" : `${roughDuration(Math.floor(age / 1000) * 1000)} ago`}
    </time>
  );
}

export function Moment({ time }: { time: string | number }) {
  const utc = useStore(isUtc);
  if (typeof time === "string" && isNever(time)) return <span class="muted">never</span>;
  const millis = typeof time === "number" ? time : Date.parse(time);
  return <time class="num" dateTime={Number.isFinite(millis) ? new Date(millis).toISOString() : ""}>{formatTime(millis, utc)}</time>;
}

export function SearchBox({ value, onInput, label, isFirst = false }: {
  value: string;
  onInput: (value: string) => void;
  label: string;
  /** The window that it is in begins with it. */
  isFirst?: boolean;
}) {
  return (
    <input type="search" class="search" placeholder={label} aria-label={label} value={value} spellcheck={false} autofocus={isFirst}
      onInput={(event) => onInput(event.currentTarget.value)} />
  );
}

/** A few words of which some are chosen, each with how many there are. */
export function Choices<T extends string>({ all, chosen, counts, onChange, label, tones = {} }: {
  all: readonly T[];
  chosen: readonly T[];
  counts?: Partial<Record<T, number>>;
  onChange: (chosen: T[]) => void;
  label: string;
  tones?: Partial<Record<T, Tone>>;
}) {
  return (
    <div class="choices" role="group" aria-label={label}>
      {all.map((one) => {
        const isOn = chosen.includes(one);
        const next = isOn ? chosen.filter((other) => other !== one) : [...chosen, one];
        return (
          <button type="button" key={one} aria-pressed={isOn} data-tone={tones[one]} onClick={() => onChange(next)}>
            {tones[one] && <i class="dot" />}
            {one}
            {counts && <span class="count">{counts[one] ?? 0}</span>}
          </button>
        );
      })}
    </div>
  );
}

/** One of a few. */
export function Tabs<T extends string>({ all, chosen, onChange, label, names = {} }: {
  all: readonly T[];
  chosen: T;
  onChange: (chosen: T) => void;
  label: string;
  names?: Partial<Record<T, ComponentChildren>>;
}) {
  const move = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    onChange(all[(all.indexOf(chosen) + by + all.length) % all.length]!);
    const list = event.currentTarget as HTMLElement;
    requestAnimationFrame(() => list.querySelector<HTMLElement>('[aria-selected="true"]')?.focus());
  };
  return (
    <div class="tabs" role="tablist" aria-label={label} onKeyDown={move}>
      {all.map((one) => (
        <button type="button" role="tab" key={one} aria-selected={one === chosen} tabIndex={one === chosen ? 0 : -1}
          onClick={() => onChange(one)}>{names[one] ?? one}</button>
      ))}
    </div>
  );
}

export function CopyButton({ text, label = "Copy" }: { text: string; label?: string }) {
  const [isDone, setDone] = useState(false);
  useEffect(() => {
    if (!isDone) return;
    const timer = setTimeout(() => setDone(false), 1500);
    return () => clearTimeout(timer);
  }, [isDone]);
  // Over plain HTTP to another machine there is no clipboard.
  if (!navigator.clipboard) return null;
  return (
    <button type="button" class="small quiet" onClick={() => navigator.clipboard.writeText(text).then(() => setDone(true), () => {})}>
      {isDone ? "Copied" : label}
    </button>
  );
}

/** What may be wider than the screen; with the focus, arrows move it. */
export function Scroll({ children }: { children: ComponentChildren }) {
  return <div class="scroll" tabIndex={0} role="group" aria-label="Table, may be wider than the screen">{children}</div>;
}

/** `key` in the browser's memory says whether it was left open. */
export function Fold({ summary, children, isOpen, class: name = "" }: {
  summary: ComponentChildren;
  children: ComponentChildren;
  isOpen?: boolean;
  class?: string;
}) {
  return (
    <details class={`fold ${name}`} open={isOpen}>
      <summary>{summary}</summary>
      {children}
    </details>
  );
}

/** The first of many, and a button for more: a browser that draws thousands of rows stands still. */
export function useSome<T>(all: T[], first = 200): { some: T[]; more: ComponentChildren } {
  const [limit, setLimit] = useState(first);
  const more = all.length > limit && (
    <p class="foot">
      <button type="button" class="small" onClick={() => setLimit(limit * 4)}>{`Show more: ${formatCount(all.length - limit)} are not shown`}</button>
    </p>
  );
  return { some: all.slice(0, limit), more };
}
