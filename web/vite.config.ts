import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { firstLoad } from "./scripts/first-load";

const SERVICE = process.env.NEUROFUSE_URL ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [react(), firstLoad()],
  // NiiVue brings a reader of Zarr stores, which the page never opens: 1.4 MB of decoders.
  resolve: { alias: { zarrita: fileURLToPath(new URL("src/viewer/no-zarr.ts", import.meta.url)) } },
  build: {
    outDir: "../app/web",
    emptyOutDir: true,
    target: "es2023",
    // A data: URL would need an exception from the Content-Security-Policy.
    assetsInlineLimit: 0,
    // The image library is that large; what matters is bounded by `firstLoad`.
    chunkSizeWarningLimit: 1000,
  },
  server: {
    proxy: Object.fromEntries(
      ["/predict", "/predictions", "/uploads", "/models", "/feedback.csv", "/readyz", "/problems"].map(
        (path) => [path, SERVICE],
      ),
    ),
  },
});
