//! Real servers for the pages: each a process of the program that `VESTA_BIN` names, in a folder that goes with it.

import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

export const VESTA = process.env.VESTA_BIN && resolve(process.env.VESTA_BIN);
/** Busy machines are slow; what is waited for is seen long before. */
const LONG_MS = 60_000;
/** Below those that systems give to outgoing connections, so that none of them can take one meanwhile. */
const PORTS = { first: 12_000, count: 18_000 };

const folder = mkdtempSync(join(tmpdir(), "vesta-pages-"));
const running = new Set<ChildProcess>();
const taken = new Set<number>();

export async function freePort(): Promise<number> {
  for (;;) {
    const port = PORTS.first + Math.floor(Math.random() * PORTS.count);
    if (taken.has(port)) continue;
    taken.add(port);
    const isFree = await new Promise<boolean>((done) => {
      const server = createServer().on("error", () => done(false));
      server.listen(port, "127.0.0.1", () => server.close(() => done(true)));
    });
    if (isFree) return port;
  }
}

export function freePorts(count: number): Promise<number[]> {
  return Promise.all(Array.from({ length: count }, freePort));
}

/** A file that servers find under its bare name. */
export function write(name: string, lines: string[]) {
  writeFileSync(join(folder, name), `${lines.join("\n")}\n`);
}

/** Starts one and waits until it is ready. */
export async function run(name: string, port: number, args: string[]): Promise<ChildProcess> {
  const path = join(folder, `${name}.log`);
  const log = openSync(path, "a");
  const child = spawn(VESTA!, [...args, `--web.listen-address=127.0.0.1:${port}`], { cwd: folder, stdio: ["ignore", log, log] });
  running.add(child);
  child.on("exit", () => running.delete(child));
  for (const until = Date.now() + LONG_MS; Date.now() < until && child.exitCode === null;) {
    const isReady = await fetch(`http://127.0.0.1:${port}/-/ready`).then((answer) => answer.ok, () => false);
    if (isReady) return child;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`${name} did not start:\n${readFileSync(path, "utf8").slice(-2000)}`);
}

export async function kill(child: ChildProcess) {
  const gone = new Promise((done) => child.once("exit", done));
  child.kill("SIGKILL");
  await gone;
}

export async function tidy() {
  await Promise.all([...running].map(kill));
  rmSync(folder, { recursive: true, force: true });
}
