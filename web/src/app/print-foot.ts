import { useEffect } from "react";

/**
 * Writes words and the number of the page below every sheet of paper: sheets are parted, and the banner stands on the
 * first one only. By a style sheet of its own, as the words depend on the view.
 */
export function usePrintFoot(words: string): void {
  useEffect(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(("CSSMarginRule" in window ? "" : headingsOf(words)) + footOf(words));
    document.adoptedStyleSheets.push(sheet);
    return () => {
      document.adoptedStyleSheets = document.adoptedStyleSheets.filter((one) => one !== sheet);
    };
  }, [words]);
}

/** Margin boxes of CSS Paged Media Level 3. */
export function footOf(words: string): string {
  const quoted = quotedOf(words);
  const type = "color: #000; font: 8pt sans-serif; white-space: nowrap";
  return `@page {
    margin: 14mm 14mm 16mm;
    @bottom-left { content: ${quoted}; ${type} }
    @bottom-right { content: counter(page) " / " counter(pages); ${type} }
  }`;
}

/** For browsers without margin boxes (Firefox 153): the words stand beside every heading, and so on every sheet. */
export function headingsOf(words: string): string {
  return `@media print {
    h2::after { content: ${quotedOf(words)}; float: right; font: 7pt sans-serif }
  }`;
}

function quotedOf(words: string): string {
  return `"${words.replace(/["\\]/g, "\\$&")}"`;
}
