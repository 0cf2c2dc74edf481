//! Days to choose from, a month at a time.

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { firstDay, useStore } from "../base/store.js";
import { addDays, addMonths, dayOf, formatDay, weeksOf, type Day } from "../base/time.js";

const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
export const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const STEPS: Record<string, (day: Day) => Day> = {
  ArrowLeft: (day) => addDays(day, -1),
  ArrowRight: (day) => addDays(day, 1),
  ArrowUp: (day) => addDays(day, -7),
  ArrowDown: (day) => addDays(day, 7),
  PageUp: (day) => addMonths(day, -1),
  PageDown: (day) => addMonths(day, 1),
};

/** A button that opens a calendar. `text` begins with a day as `2026-03-01`, and so does what is picked. */
export function CalendarButton({ label, text, onPick }: { label: string; text: string; onPick: (day: string) => void }) {
  const [isOpen, setOpen] = useState(false);
  const box = useRef<HTMLSpanElement>(null);
  const close = () => {
    setOpen(false);
    box.current?.querySelector("button")?.focus();
  };
  return (
    <span class="calendar-button" ref={box}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !isOpen) return;
        event.stopPropagation();
        close();
      }}
      // Later: where the month is another, the day that had the focus is gone, and the next one has it only then.
      onFocusOut={() => setTimeout(() => !box.current?.contains(document.activeElement) && setOpen(false))}>
      <button type="button" aria-label={`${label}: calendar`} title="Calendar" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>▦</button>
      {isOpen && <Calendar chosen={dayOf(text) ?? dayOf(new Date().toISOString())!} onPick={(day) => {
        onPick(formatDay(day));
        close();
      }} />}
    </span>
  );
}

function Calendar({ chosen, onPick }: { chosen: Day; onPick: (day: Day) => void }) {
  const first = useStore(firstDay);
  const [at, setAt] = useState(chosen);
  const grid = useRef<HTMLTableElement>(null);
  const month = new Date(at).getUTCMonth();
  useLayoutEffect(() => grid.current?.querySelector<HTMLElement>('[tabindex="0"]')?.focus(), [at]);
  const move = (event: KeyboardEvent) => {
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    setAt(step(at));
  };
  return (
    // A press on what takes no focus would close it.
    <div class="calendar" role="dialog" aria-label="Calendar" tabIndex={-1}>
      <header>
        <button type="button" class="quiet small" aria-label="Earlier month" onClick={() => setAt(addMonths(at, -1))}>‹</button>
        <b aria-live="polite">{`${MONTHS[month]} ${new Date(at).getUTCFullYear()}`}</b>
        <button type="button" class="quiet small" aria-label="Later month" onClick={() => setAt(addMonths(at, 1))}>›</button>
      </header>
      <table ref={grid} onKeyDown={move}>
        <thead><tr>{Array.from({ length: 7 }, (_, column) => WEEKDAYS[(first + column) % 7]!).map((name) => <th key={name} scope="col" abbr={name}>{name.slice(0, 2)}</th>)}</tr></thead>
        <tbody>
          {weeksOf(at, first).map((week) => (
            <tr key={week[0]}>
              {week.map((day) => (
                <td key={day}>
                  <button type="button" class={`small quiet ${new Date(day).getUTCMonth() === month ? "" : "other"}`} tabIndex={day === at ? 0 : -1}
                    aria-label={`${new Date(day).getUTCDate()} ${MONTHS[new Date(day).getUTCMonth()]}`} aria-pressed={day === chosen} onClick={() => onPick(day)}>{new Date(day).getUTCDate()}</button>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
