//! What this browser keeps: how weeks begin, times and colours are shown, who makes silences.

import { firstDay, isUtc, theme, useStore, type FirstDay } from "../base/store.js";
import { Tabs } from "../parts/bits.js";
import { WEEKDAYS } from "../parts/Calendar.js";
import { creator } from "./SilenceForm.js";

const FIRST_DAYS = ["1", "0", "6"] as const;
const ZONES = ["UTC", "local"] as const;
const THEMES = ["auto", "light", "dark"] as const;

export function SettingsPage() {
  const first = useStore(firstDay);
  const utc = useStore(isUtc);
  const look = useStore(theme);
  const name = useStore(creator);
  return (
    <>
      <div class="page-head"><h1>Settings</h1><span class="muted">kept in this browser</span></div>
      <section class="panel form">
        <div class="field"><span>First day of the week</span>
          <span><Tabs all={FIRST_DAYS} chosen={String(first) as (typeof FIRST_DAYS)[number]} label="First day of the week" onChange={(day) => firstDay.set(Number(day) as FirstDay)}
            names={Object.fromEntries(FIRST_DAYS.map((day) => [day, WEEKDAYS[Number(day)]]))} /></span>
        </div>
        <div class="field"><span>Times</span>
          <span><Tabs all={ZONES} chosen={utc ? "UTC" : "local"} label="Times" onChange={(zone) => isUtc.set(zone === "UTC")} names={{ local: "Local" }} /></span>
        </div>
        <div class="field"><span>Colours</span>
          <span><Tabs all={THEMES} chosen={look} label="Colours" onChange={(next) => theme.set(next)} names={{ auto: "As the system", light: "Light", dark: "Dark" }} /></span>
        </div>
        <label>Your name, for new silences<input type="text" class="name" autocomplete="name" value={name} onInput={(event) => creator.set(event.currentTarget.value)} /></label>
      </section>
    </>
  );
}
