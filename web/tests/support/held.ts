import type { Page } from "playwright-core";

/** Keep the answers of predictions from the page until they are released; the first promise is of the first of them. */
export async function holdAnswers(page: Page): Promise<[Promise<void>, () => Promise<void>]> {
  const [answered, tell] = promised();
  const [released, release] = promised();
  const [delivered, tellDelivered] = promised();
  await page.route("**/predict", async (route) => {
    const response = await route.fetch();
    tell();
    await released;
    await route.fulfill({ response }).catch(() => {}); // the page may have given it up
    tellDelivered();
  });
  const letGo = () => {
    release();
    return delivered;
  };
  return [answered, letGo];
}

function promised(): [Promise<void>, () => void] {
  let keep = () => {};
  const promise = new Promise<void>((done) => {
    keep = done;
  });
  return [promise, keep];
}
