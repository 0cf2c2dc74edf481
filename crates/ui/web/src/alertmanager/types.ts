//! The API's answers, as far as the pages read them.

import type { Labels } from "../base/format.js";
import type { Matcher } from "./matchers.js";

export interface Alert {
  labels: Labels;
  annotations: Labels;
  fingerprint: string;
  startsAt: string;
  endsAt: string;
  updatedAt: string;
  generatorURL?: string;
  receivers: { name: string }[];
  status: { state: "active" | "suppressed" | "unprocessed"; silencedBy: string[]; inhibitedBy: string[]; mutedBy?: string[] };
}

export interface Group {
  labels: Labels;
  receiver: { name: string };
  alerts: Alert[];
}

export type SilenceState = "active" | "pending" | "expired";

export interface Silence {
  id: string;
  status: { state: SilenceState };
  createdBy: string;
  comment: string;
  startsAt: string;
  endsAt: string;
  updatedAt: string;
  matchers: Matcher[];
  annotations?: Labels;
}

export interface Status {
  cluster: {
    name?: string;
    status: "ready" | "settling" | "disabled";
    /** What is not upstream's may be missing. */
    peers?: { name: string; address: string; lagSeconds?: number; roundTripSeconds?: number }[];
  };
  config: { original: string };
  uptime: string;
  versionInfo: Record<string, string>;
}
