//! The pages of a server.

import { useEffect, useState } from "preact/hooks";
import { go, place } from "../base/route.js";
import { useStore } from "../base/store.js";
import { page, root } from "../page.js";
import { Empty } from "../parts/bits.js";
import { Shell, type Entry } from "../parts/Shell.js";
import { AgentPage } from "./AgentPage.js";
import { AlertsPage } from "./AlertsPage.js";
import { ClusterPage } from "./ClusterPage.js";
import { DiscoveryPage } from "./DiscoveryPage.js";
import { Notifications, Starting } from "./Notifications.js";
import { QueryPage } from "./query/QueryPage.js";
import { RulesPage } from "./RulesPage.js";
import { SettingsButton } from "./Settings.js";
import { StatusPage } from "./StatusPage.js";
import { StoragePage } from "./StoragePage.js";
import { TargetsPage } from "./TargetsPage.js";

type Pages = (Entry & { page: () => preact.JSX.Element })[];

const SERVER: Pages = [
  { path: "/query", name: "Query", also: ["/graph"], page: QueryPage },
  { path: "/alerts", name: "Alerts", page: AlertsPage },
  { path: "/rules", name: "Rules", page: RulesPage },
  { path: "/targets", name: "Targets", page: TargetsPage },
  { path: "/service-discovery", name: "Discovery", page: DiscoveryPage },
  { path: "/tsdb-status", name: "Storage", page: StoragePage },
  { path: "/cluster", name: "Cluster", page: ClusterPage },
  { path: "/status", name: "Status", also: ["/flags", "/config", "/alertmanager-discovery", "/features"], page: StatusPage },
];

/** It has nothing to query, and judges nothing. */
const AGENT: Pages = [
  { path: "/agent", name: "Agent", page: AgentPage },
  { path: "/targets", name: "Targets", page: TargetsPage },
  { path: "/service-discovery", name: "Discovery", page: DiscoveryPage },
  { path: "/status", name: "Status", also: ["/flags", "/config", "/features"], page: StatusPage },
];

const ENTRIES = page.role === "agent" ? AGENT : SERVER;

export function App() {
  const { path } = useStore(place);
  const entry = ENTRIES.find((one) => one.path === path || one.also?.includes(path));
  const isReady = useReady();
  useEffect(() => {
    if (path === "/") go(ENTRIES[0]!.path);
  }, [path]);
  const Page = entry?.page;
  return (
    <Shell entries={ENTRIES} status={<><Notifications />{page.role !== "agent" && <SettingsButton />}</>}>
      {!isReady ? <Starting /> : Page ? <Page /> : <Empty title="No such page">The links above lead to those that there are.</Empty>}
    </Shell>
  );
}

/** Asks until the server is ready; until then pages would show nothing but errors. */
function useReady(): boolean {
  const [isReady, setReady] = useState(true);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const check = () =>
      fetch(`${root}-/ready`).then(
        ({ status }) => {
          setReady(status !== 503);
          if (status === 503) timer = setTimeout(check, 1000);
        },
        () => {},
      );
    void check();
    return () => clearTimeout(timer);
  }, []);
  return isReady;
}
