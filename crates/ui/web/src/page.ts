//! What the server says of itself in the page: which pages to show, and under which title.

export interface PageSettings {
  role: "server" | "agent" | "alertmanager";
  title: string;
  version: string;
  /** Where console templates are, or nothing. */
  consoles: string;
}

const DEFAULTS: PageSettings = { role: "server", title: "Vesta", version: "", consoles: "" };

function read(): PageSettings {
  const content = document.querySelector<HTMLMetaElement>('meta[name="vesta"]')?.content ?? "";
  try {
    return { ...DEFAULTS, ...(JSON.parse(content) as Partial<PageSettings>) };
  } catch {
    return DEFAULTS;
  }
}

export const page = read();

/** The folder that the pages are in, with a slash at the end: right behind any proxy, as all pages lie flat in it. */
export const root = new URL("./", document.baseURI).pathname;
