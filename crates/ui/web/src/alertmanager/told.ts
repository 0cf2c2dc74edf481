//! Notifications as Vesta remembers them.

import type { Labels } from "../base/format.js";
import type { Tone } from "../parts/bits.js";

export type Outcome = "sent" | "failed" | "peer";

export interface Told {
  time: string;
  outcome: Outcome;
  error?: string;
  receiver: string;
  integration: string;
  index: number;
  groupKey: string;
  groupLabels: Labels;
  reason?: string;
  firing: number;
  resolved: number;
  attempts: number;
  seconds: number;
}

export const OUTCOMES: readonly Outcome[] = ["sent", "failed", "peer"];
export const TONES: Record<Outcome, Tone> = { sent: "good", failed: "bad", peer: "info" };
export const WORDS: Record<Outcome, string> = { sent: "sent", failed: "failed", peer: "sent by a peer" };

/** `webhook`, and which of them if there are several. */
export function integrationName({ integration, index }: { integration: string; index: number }): string {
  return index > 0 ? `${integration} ${index + 1}` : integration;
}

/** `3 firing, 1 resolved` */
export function countsOf({ firing, resolved }: Told): string {
  const parts = [...(firing > 0 ? [`${firing} firing`] : []), ...(resolved > 0 ? [`${resolved} resolved`] : [])];
  return parts.join(", ") || "–";
}
