//! The pages of an Alertmanager, under the addresses that upstream's notifications link to.

import { place } from "../base/route.js";
import { useStore } from "../base/store.js";
import { Empty } from "../parts/bits.js";
import { Shell, type Entry } from "../parts/Shell.js";
import { AlertsPage } from "./AlertsPage.js";
import { ClusterPage } from "./ClusterPage.js";
import { HistoryPage } from "./HistoryPage.js";
import { ReceiversPage } from "./ReceiversPage.js";
import { RoutesPage } from "./RoutesPage.js";
import { EditSilencePage, NewSilencePage } from "./SilenceForm.js";
import { SilencePage, SilencesPage } from "./SilencesPage.js";
import { SettingsPage } from "./SettingsPage.js";
import { StatusPage } from "./StatusPage.js";

const ENTRIES: Entry[] = [
  { path: "/alerts", name: "Alerts" },
  { path: "/silences", name: "Silences" },
  { path: "/routes", name: "Routes" },
  { path: "/receivers", name: "Receivers" },
  { path: "/history", name: "History" },
  { path: "/cluster", name: "Cluster" },
  { path: "/status", name: "Status" },
  { path: "/settings", name: "Settings" },
];

export function App() {
  const { path } = useStore(place);
  return <Shell entries={ENTRIES}>{pageOf(path)}</Shell>;
}

function pageOf(path: string) {
  const [, area, id, action] = path.split("/").map(decodeURIComponent);
  switch (area) {
    case "alerts": return <AlertsPage />;
    case "routes": return <RoutesPage />;
    case "receivers": return <ReceiversPage />;
    case "history": return <HistoryPage />;
    case "cluster": return <ClusterPage />;
    case "status": return <StatusPage />;
    case "settings": return <SettingsPage />;
    case "silences":
      if (!id) return <SilencesPage />;
      if (id === "new") return <NewSilencePage />;
      return action === "edit" ? <EditSilencePage id={id} /> : <SilencePage id={id} />;
    default: return <Empty title="No such page">The links above lead to those that there are.</Empty>;
  }
}
