//! Inputs for stretches of time, moments and resolutions.

import { useEffect, useState } from "preact/hooks";
import { formatDuration, parseDuration } from "../../base/duration.js";
import { isUtc, useStore } from "../../base/store.js";
import { formatTime, parseTime } from "../../base/time.js";
import { CalendarButton } from "../../parts/Calendar.js";
import type { Density, Resolution } from "./state.js";

/** Text that becomes a value on Enter or when it is left, and says so when it cannot. */
function useDraft(shown: string, take: (text: string) => boolean) {
  const [draft, setDraft] = useState(shown);
  const [isWrong, setWrong] = useState(false);
  useEffect(() => {
    setDraft(shown);
    setWrong(false);
  }, [shown]);
  const commit = () => {
    if (draft !== shown) setWrong(!take(draft));
  };
  return {
    value: draft,
    "aria-invalid": isWrong,
    spellcheck: false,
    onInput: (event: InputEvent) => setDraft((event.currentTarget as HTMLInputElement).value),
    onBlur: commit,
    onKeyDown: (event: KeyboardEvent) => {
      if (event.key === "Enter") commit();
      if (event.key === "Escape") setDraft(shown);
    },
  } as const;
}

export function DurationInput({ label, value, onChange, onLess, onMore }: {
  label: string;
  value: number;
  onChange: (millis: number) => void;
  onLess: () => void;
  onMore: () => void;
}) {
  const draft = useDraft(formatDuration(value), (text) => {
    const millis = parseDuration(text);
    if (millis) onChange(millis);
    return Boolean(millis);
  });
  return (
    <span class="joined">
      <button type="button" aria-label={`${label}: shorter`} onClick={onLess}>−</button>
      <input class="num narrow" aria-label={label} title={label} {...draft} />
      <button type="button" aria-label={`${label}: longer`} onClick={onMore}>+</button>
    </span>
  );
}

export function MomentInput({ label, value, stepMs, onChange }: {
  label: string;
  value: number | null;
  stepMs: number;
  onChange: (millis: number | null) => void;
}) {
  const utc = useStore(isUtc);
  const draft = useDraft(value === null ? "" : formatTime(value, utc), (text) => {
    if (text.trim() === "") {
      onChange(null);
      return true;
    }
    const millis = parseTime(text, utc);
    if (millis !== null) onChange(millis);
    return millis !== null;
  });
  const move = (by: number) => onChange(Math.round(((value ?? Date.now()) + by) / 1000) * 1000);
  return (
    <span class="joined">
      <button type="button" aria-label={`${label}: earlier`} onClick={() => move(-stepMs)}>‹</button>
      <input class="num moment" aria-label={label} title={`${label}, as 2026-03-01 12:30:00${utc ? " UTC" : ""}`} placeholder={label} {...draft} />
      <CalendarButton label={label} text={draft.value} onPick={(day) => onChange(parseTime(day + formatTime(value ?? Date.now(), utc).slice(10), utc))} />
      {value !== null && <button type="button" aria-label={`${label}: now`} title="Now" onClick={() => onChange(null)}>✕</button>}
      <button type="button" aria-label={`${label}: later`} onClick={() => move(stepMs)}>›</button>
    </span>
  );
}

const FIXED = ["1s", "5s", "10s", "15s", "30s", "1m", "2m", "5m", "10m", "30m", "1h", "6h", "1d"];

export function ResolutionInput({ value, autoMs, onChange }: { value: Resolution; autoMs: number; onChange: (value: Resolution) => void }) {
  const draft = useDraft(formatDuration(value.type === "auto" ? autoMs : value.stepMs), (text) => {
    const stepMs = parseDuration(text);
    if (stepMs) onChange({ type: "custom", stepMs });
    return Boolean(stepMs);
  });
  const chosen = value.type === "auto" ? `auto ${value.density}` : value.type === "fixed" ? formatDuration(value.stepMs) : "custom";
  const pick = (text: string) => {
    if (text.startsWith("auto ")) onChange({ type: "auto", density: text.slice(5) as Density });
    else if (text === "custom") onChange({ type: "custom", stepMs: autoMs });
    else onChange({ type: "fixed", stepMs: parseDuration(text)! });
  };
  return (
    <span class="joined">
      <select aria-label="Resolution" title="Resolution" value={chosen} onChange={(event) => pick(event.currentTarget.value)}>
        <optgroup label="By the range">
          <option value="auto low">Low res.</option>
          <option value="auto medium">Medium res.</option>
          <option value="auto high">High res.</option>
        </optgroup>
        <optgroup label="Fixed">
          {[...new Set([...FIXED, ...(value.type === "fixed" ? [chosen] : [])])].map((step) => <option key={step} value={step}>{step}</option>)}
        </optgroup>
        <option value="custom">Custom …</option>
      </select>
      {value.type === "custom" && <input class="num narrow" aria-label="Step" {...draft} />}
    </span>
  );
}
