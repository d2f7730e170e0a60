import type { Page } from "playwright-core";

/** Drop a file or a folder as the file manager would; the page can only make drops of single files itself. */
export async function dropFolder(page: Page, path: string, where = ".drop-zone"): Promise<void> {
  const box = await page.locator(where).boundingBox();
  if (!box) throw new Error("there is no place to drop");
  const devtools = await page.context().newCDPSession(page);
  const data = { items: [], files: [path], dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"] as const) {
    await devtools.send("Input.dispatchDragEvent", { type, x: box.x + 40, y: box.y + 20, data });
  }
}
