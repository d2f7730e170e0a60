import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const FLAGS = [
  "--no-sandbox",
  "--use-gl=angle",
  "--use-angle=swiftshader",
  "--enable-unsafe-swiftshader",
  // Only WebGL needs the graphics library; where the processor is all there is, what it draws otherwise costs twice.
  "--disable-gpu-compositing",
  "--disable-gpu-rasterization",
  "--disable-accelerated-2d-canvas",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const CHROMIUM = process.env.NEUROFUSE_CHROMIUM ?? "/usr/bin/chromium";

/**
 * Whether the browser tests run. Without Chromium they are skipped, and say so; where
 * NEUROFUSE_REQUIRE_BROWSER is set they run and fail instead.
 */
export const CAN_BROWSE = existsSync(CHROMIUM) || Boolean(process.env.NEUROFUSE_REQUIRE_BROWSER);
if (!CAN_BROWSE) console.warn(`skipped: no Chromium at ${CHROMIUM}`);

/** @param flags more switches of the command line */
export function launch(flags: string[] = []): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: [...FLAGS, ...flags] });
}
