import { gzipSync } from "node:zlib";
import type { Plugin, Rolldown } from "vite";

const LIMIT_KB = 700;
/** The entry that the limit is for; `/docs` is another page, which nobody waits for at a bedside. */
const PAGE = "index";

type Bundle = Rolldown.OutputBundle;
type Chunk = Rolldown.OutputChunk;

/** Prints what the browser fetches before the viewer is needed, gzipped, and fails the build above the limit. */
export function firstLoad(): Plugin {
  return {
    name: "first-load",
    apply: "build",
    generateBundle(_options, bundle) {
      const chunks = reached(bundle);
      const styles = chunks.flatMap((chunk) => [...(chunk.viteMetadata?.importedCss ?? [])]);
      const sources = [
        ...chunks.map(({ code }) => code),
        ...[...new Set(styles)].map((name) => sourceOf(bundle, name)),
      ];
      const total = sources.reduce((sum, source) => sum + gzipSync(source).length / 1000, 0);
      const sentence = `first load without the viewer: ${total.toFixed(0)} kB gzip of at most ${LIMIT_KB} kB`;
      if (total > LIMIT_KB) this.error(sentence);
      this.environment.logger.info(sentence);
    },
  };
}

/** Every chunk that the clinician's page can load short of the viewer: all views, but not the image library behind them. */
function reached(bundle: Bundle): Chunk[] {
  const found = new Map<string, Chunk>();
  const visit = (name: string) => {
    const chunk = bundle[name];
    if (chunk?.type !== "chunk" || found.has(name) || isViewer(chunk)) return;
    found.set(name, chunk);
    for (const next of [...chunk.imports, ...chunk.dynamicImports]) visit(next);
  };
  for (const item of Object.values(bundle)) {
    if (item.type === "chunk" && item.isEntry && item.name === PAGE) visit(item.fileName);
  }
  return [...found.values()];
}

function isViewer(chunk: Chunk): boolean {
  return chunk.moduleIds.some((id) => id.includes("/node_modules/@niivue/"));
}

function sourceOf(bundle: Bundle, name: string): string | Uint8Array {
  const item = bundle[name];
  return item?.type === "asset" ? item.source : "";
}
