//! What an agent is, and how far it has sent what it scraped.

import { href } from "../base/route.js";
import { Note } from "../parts/bits.js";
import { Queues } from "./Queues.js";

export function AgentPage() {
  return (
    <>
      <div class="page-head"><h1>Agent</h1><span class="muted">scrapes, and sends on</span></div>
      <Note tone="info">This server runs as an agent: what it scrapes goes to remote storage, and is kept only until it is there. Queries, rules and alerts are for the storage that receives it.</Note>
      <Queues isWriter />
      <p class="muted">What it scrapes is under <a href={href("/targets")}>Targets</a>, where that comes from under <a href={href("/service-discovery")}>Discovery</a>.</p>
    </>
  );
}
