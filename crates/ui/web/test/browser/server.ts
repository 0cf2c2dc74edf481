//! A server of the built pages with an API whose answers are written down here.

import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";

const DIST = join(process.cwd(), "dist");
const TYPES: Record<string, string> = { ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };
/** As `ui::CONTENT_SECURITY_POLICY`. */
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'";

export interface Call {
  method: string;
  path: string;
  params: URLSearchParams;
  body: string;
}

/** What the API answers; an error comes with status 400. */
export type Api = (call: Call) => unknown;

export interface Site {
  url: string;
  calls: Call[];
  /** While it is, nobody answers. */
  isGone: boolean;
  isStarting: boolean;
  /** How many wait for notifications now. */
  nListeners: number;
  close: () => void;
}

export async function serve(role: "server" | "agent" | "alertmanager", api: Api): Promise<Site> {
  const calls: Call[] = [];
  const index = page(role);
  const server = createServer((request, response) => void answer(request, response));
  async function answer(request: IncomingMessage, response: ServerResponse) {
    if (site.isGone) return void request.socket.destroy();
    const url = new URL(request.url!, "http://localhost");
    const path = url.pathname.replace(/^\/prefix\//, "/");
    if (path === "/-/ready") {
      response.statusCode = site.isStarting ? 503 : 200;
      return void response.end();
    }
    if (path.startsWith("/api/")) {
      let body = "";
      for await (const chunk of request) body += String(chunk);
      const params = new URLSearchParams([...url.searchParams, ...new URLSearchParams(role === "alertmanager" ? "" : body)]);
      const call = { method: request.method!, path: path.replace(/^\/api\/(v\d\/)?/, ""), params, body };
      calls.push(call);
      const data = api(call);
      if (path.endsWith("/live")) {
        response.writeHead(200, { "content-type": "text/event-stream" });
        site.nListeners += 1;
        response.on("close", () => { site.nListeners -= 1; });
        for (const one of data as unknown[]) response.write(`data: ${JSON.stringify(one)}\n\n`);
        return;
      }
      const isError = data instanceof Error;
      response.writeHead(isError ? 400 : 200, { "content-type": "application/json" });
      const envelope = isError ? { status: "error", errorType: "bad_data", error: data.message } : { status: "success", data };
      return void response.end(JSON.stringify(role === "alertmanager" ? data : envelope));
    }
    const type = TYPES[extname(path)];
    response.writeHead(200, { "content-type": type ?? "text/html; charset=utf-8", "content-security-policy": POLICY });
    response.end(type ? readFileSync(join(DIST, path)) : index);
  }
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  const site: Site = {
    url: `http://127.0.0.1:${port}/prefix/`,
    calls,
    isGone: false,
    isStarting: false,
    nListeners: 0,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
  return site;
}

function page(role: string): string {
  const settings = JSON.stringify({ role, title: "Test", version: "1", consoles: role === "server" ? "consoles/index.html" : "" }).replaceAll('"', "&quot;");
  return readFileSync(join(DIST, "index.html"), "utf8").replace("SETTINGS_PLACEHOLDER", settings).replace("TITLE_PLACEHOLDER", "Test");
}
