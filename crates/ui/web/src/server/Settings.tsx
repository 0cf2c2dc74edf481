//! What pages do by themselves is chosen here, and kept in the browser.

import { useState } from "preact/hooks";
import { groupsPerPage, settings, useStore } from "../base/store.js";
import { Window } from "../parts/Window.js";

const NAMES: Record<keyof typeof settings, string> = {
  completes: "Propose metrics, labels and functions while typing",
  highlights: "Colour expressions",
  checks: "Underline mistakes while typing",
  keepsHistory: "Remember queries in this browser",
  showsWarnings: "Show warnings of queries",
  showsInfos: "Show remarks of queries",
};

export function SettingsButton() {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <button type="button" class="quiet" onClick={() => setOpen(true)}>Settings</button>
      {isOpen && (
        <Window title="Settings" onClose={() => setOpen(false)}>
          <div class="settings">{(Object.keys(NAMES) as (keyof typeof settings)[]).map((key) => <Setting key={key} name={key} />)}
            <GroupsPerPage />
            <p class="muted">A slash goes to the first box. <a href="https://prometheus.io/docs/prometheus/latest/querying/basics/" target="_blank" rel="noreferrer">How PromQL is written</a></p>
          </div>
        </Window>
      )}
    </>
  );
}

const PAGE_SIZES = [10, 20, 50, 100, 1000];

function GroupsPerPage() {
  const chosen = useStore(groupsPerPage);
  return (
    <label>
      <select value={String(chosen)} onChange={(event) => groupsPerPage.set(Number(event.currentTarget.value))}>
        {PAGE_SIZES.map((size) => <option key={size} value={String(size)}>{size}</option>)}
      </select> Groups of alerts or rules on a page
    </label>
  );
}

function Setting({ name }: { name: keyof typeof settings }) {
  const isOn = useStore(settings[name]);
  return (
    <label><input type="checkbox" checked={isOn} onChange={(event) => settings[name].set(event.currentTarget.checked)} /> {NAMES[name]}</label>
  );
}
