//! Questions to the server, and hooks that keep asking.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { root } from "../page.js";

export interface Answer<T> {
  data: T;
  warnings: string[];
  infos: string[];
  tookMs: number;
}

/** Says in words what went wrong, to be shown as it is. */
export class Problem extends Error {}

type Params = Record<string, string | string[] | number | boolean | undefined>;

export function formOf(params: Params): URLSearchParams {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) form.append(name, String(one));
  }
  return form;
}

async function send(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { ...init, credentials: "same-origin" });
  } catch (error) {
    if ((error as Error).name === "AbortError") throw error;
    throw new Problem("The server does not answer. It may be restarting, or the network is gone.");
  }
}

async function readJson(response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    const said = text.trim().slice(0, 300);
    throw new Problem(`${response.status} ${response.statusText}${said && !said.startsWith("<") ? `: ${said}` : ""}`);
  }
}

/** Prometheus' API: unwraps the envelope. */
export async function ask<T>(path: string, params: Params = {}, init: RequestInit & { post?: boolean } = {}): Promise<Answer<T>> {
  const { post, ...rest } = init;
  const form = formOf(params);
  const search = form.size > 0 ? `?${form}` : "";
  const began = performance.now();
  const response = post
    ? await send(`${root}api/v1/${path}`, { ...rest, method: "POST", body: form })
    : await send(`${root}api/v1/${path}${search}`, rest);
  if (response.status === 204) return { data: undefined as T, warnings: [], infos: [], tookMs: 0 };
  const body = (await readJson(response)) as
    { status: string; data: T; error?: string; errorType?: string; warnings?: string[]; infos?: string[] };
  if (body.status !== "success") throw new Problem(body.error ?? `${response.status} ${response.statusText}`);
  return { data: body.data, warnings: body.warnings ?? [], infos: body.infos ?? [], tookMs: performance.now() - began };
}

/** The Alertmanager's API, and what Vesta adds to it (`vesta/v1/…`): plain JSON, errors as a string or `{message}`. */
export async function askAlertmanager<T>(path: string, params: Params = {}, init: RequestInit = {}): Promise<T> {
  const form = formOf(params);
  const search = form.size > 0 ? `?${form}` : "";
  const response = await send(`${root}api/${path.startsWith("vesta/") ? "" : "v2/"}${path}${search}`, init);
  if (response.ok && response.headers.get("content-length") === "0") return undefined as T;
  const text = await response.text();
  let body: unknown = text;
  try {
    if (text !== "") body = JSON.parse(text);
  } catch {
    if (response.ok) throw new Problem("The answer is no JSON.");
  }
  if (response.ok) return body as T;
  const said = typeof body === "string" ? body.trim() : (body as { message?: string }).message;
  throw new Problem(said || `${response.status} ${response.statusText}`);
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export interface Asked<T> {
  data: T | undefined;
  /** Set while the last attempt failed; `data` is then what was known before. */
  error: string | undefined;
  isBusy: boolean;
  reload: () => void;
}

/** Asks when the key changes and every so often while the page can be seen. */
export function useAsked<T>(key: string, work: (signal: AbortSignal) => Promise<T>, everyMs?: number): Asked<T> {
  const [state, setState] = useState<{ key: string; data?: T; error?: string }>({ key });
  const [isBusy, setBusy] = useState(true);
  const [round, setRound] = useState(0);
  const latest = useRef(work);
  latest.current = work;
  useEffect(() => {
    const abort = new AbortController();
    setBusy(true);
    latest.current(abort.signal).then(
      (data) => {
        setState({ key, data });
        setBusy(false);
      },
      (error: unknown) => {
        if (abort.signal.aborted) return;
        setState((old) => ({ key, data: old.key === key ? old.data : undefined, error: messageOf(error) }));
        setBusy(false);
      },
    );
    return () => abort.abort();
  }, [key, round]);
  const reload = useCallback(() => setRound((count) => count + 1), []);
  useEffect(() => {
    if (!everyMs) return;
    const timer = setInterval(() => document.visibilityState === "visible" && reload(), everyMs);
    return () => clearInterval(timer);
  }, [everyMs, reload]);
  const isCurrent = state.key === key;
  return { data: isCurrent ? state.data : undefined, error: isCurrent ? state.error : undefined, isBusy, reload };
}

/** As `useAsked`, for one path of Prometheus' API. */
export function useApi<T>(path: string, params: Params = {}, everyMs?: number): Asked<T> {
  const key = `${path}?${formOf(params)}`;
  return useAsked<T>(key, (signal) => ask<T>(path, params, { signal }).then((answer) => answer.data), everyMs);
}

export function useAlertmanager<T>(path: string, params: Params = {}, everyMs?: number): Asked<T> {
  const key = `${path}?${formOf(params)}`;
  return useAsked<T>(key, (signal) => askAlertmanager<T>(path, params, { signal }), everyMs);
}
