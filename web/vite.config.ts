import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { firstLoad } from "./scripts/first-load.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  plugins: [react(), firstLoad()],
  // NiiVue brings a reader of Zarr stores, which the page never opens: 1.4 MB of decoders.
  resolve: { alias: { zarrita: here("src/viewer/no-zarr.ts") } },
  build: {
    outDir: "../app/web",
    emptyOutDir: true,
    target: "es2023",
    rolldownOptions: { input: { index: here("index.html"), docs: here("docs.html") } },
    // A data: URL would need an exception from the Content-Security-Policy.
    assetsInlineLimit: 0,
    // The image library and Swagger UI are that large; what matters is bounded by `firstLoad`.
    chunkSizeWarningLimit: 2000,
  },
});
