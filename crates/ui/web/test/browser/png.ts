//! Pictures for the README, small: a palette is plenty for a page.

import { crc32, deflateSync } from "node:zlib";
import type { Browser } from "puppeteer-core";

const COLOURS_MAX = 256;

/** The same picture with at most 256 colours. */
export async function shrink(browser: Browser, png: Uint8Array): Promise<Buffer> {
  const { width, height, pixels } = await read(browser, png);
  const palette = paletteOf(pixels);
  const nearest = new Map<number, number>();
  const rows = Buffer.alloc(height * (width + 1));
  for (let y = 0; y < height; y += 1) {
    // The byte before each row stays 0: no filter helps where bytes are places in a palette.
    for (let x = 0; x < width; x += 1) {
      const colour = colourAt(pixels, y * width + x);
      if (!nearest.has(colour)) nearest.set(colour, placeOf(colour, palette));
      rows[y * (width + 1) + 1 + x] = nearest.get(colour)!;
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  // Eight bits, by palette.
  header.set([8, 3, 0, 0, 0], 8);
  const colours = Buffer.from(palette.flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255]));
  const data = deflateSync(rows, { level: 9, memLevel: 9 });
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), chunk("IHDR", header), chunk("PLTE", colours), chunk("IDAT", data), chunk("IEND", Buffer.alloc(0))]);
}

/** A browser can read pictures already: four bytes a pixel. */
async function read(browser: Browser, png: Uint8Array): Promise<{ width: number; height: number; pixels: Buffer }> {
  const page = await browser.newPage();
  const { width, height, text } = await page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d")!;
    context.drawImage(bitmap, 0, 0);
    const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
    let signs = "";
    for (let at = 0; at < data.length; at += 8192) signs += String.fromCharCode(...data.subarray(at, at + 8192));
    return { width: bitmap.width, height: bitmap.height, text: btoa(signs) };
  }, Buffer.from(png).toString("base64"));
  await page.close();
  return { width, height, pixels: Buffer.from(text, "base64") };
}

const colourAt = (pixels: Buffer, at: number) => pixels.readUInt32BE(at * 4) >>> 8;

/** The colours that are there most. Those of the theme are exact; what is lost are shades at the edges of letters. */
function paletteOf(pixels: Buffer): number[] {
  const counts = new Map<number, number>();
  for (let at = 0; at < pixels.length / 4; at += 1) {
    const colour = colourAt(pixels, at);
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const common = [...counts].sort(([, a], [, b]) => b - a).map(([colour]) => colour);
  const palette: number[] = [];
  // First those far from all before, so that rare hues such as a thin line's have theirs.
  for (const distance of [24, 8, 0]) {
    for (const colour of common.slice(0, 4096)) {
      if (palette.length === COLOURS_MAX) return palette;
      if (palette.every((other) => apart(colour, other) > distance)) palette.push(colour);
    }
  }
  return palette;
}

function apart(a: number, b: number): number {
  return Math.max(Math.abs((a >> 16) - (b >> 16)), Math.abs(((a >> 8) & 255) - ((b >> 8) & 255)), Math.abs((a & 255) - (b & 255)));
}

function placeOf(colour: number, palette: number[]): number {
  let best = 0;
  for (const [place, other] of palette.entries()) if (apart(colour, other) < apart(colour, palette[best]!)) best = place;
  return best;
}

function chunk(kind: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(kind, "latin1"), data]);
  const ends = Buffer.alloc(8);
  ends.writeUInt32BE(data.length, 0);
  ends.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)]);
}
