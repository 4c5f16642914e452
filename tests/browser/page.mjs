// node page.mjs REPORT.html SCREENSHOTS: opens the report of tests/it/browser.rs in Chromium and uses it as a reader would.
import assert from "node:assert/strict";
import { mkdirSync, statSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [report, screenshots] = process.argv.slice(2);
mkdirSync(screenshots, { recursive: true });
const { CHROMIUM } = process.env;
const browser = await chromium.launch(
  CHROMIUM.includes("/") ? { executablePath: CHROMIUM, args: ["--no-sandbox"] } : { executablePath: await which(CHROMIUM), args: ["--no-sandbox"] },
);

async function which(name) {
  const { execFileSync } = await import("node:child_process");
  return execFileSync("which", [name], { encoding: "utf8" }).trim();
}

async function open(width, height, colorScheme) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme });
  const page = await context.newPage();
  const faults = [];
  page.on("console", (message) => faults.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => faults.push(`error: ${error.message}`));
  page.on("request", (request) => request.url().startsWith("file:") || request.url().startsWith("data:") || faults.push(`request: ${request.url()}`));
  await page.goto(pathToFileURL(report).href);
  await page.locator("#series .chart canvas").first().waitFor();
  return { page, faults };
}

const names = (page) => page.locator("#overview tbody tr").evaluateAll((rows) => rows.map((row) => row.querySelector("td.name a").textContent));
const tests = {
  async "the worst comes first, and the headline counts it"(page) {
    assert.equal(await page.locator("#headline").textContent(), "✕3 regressions");
    assert.equal((await names(page)).length, 4);
    assert.equal((await names(page)).at(-1), "scan");
  },
  async "a hostile name is text"(page) {
    assert.ok((await names(page)).includes("<img src=x onerror=window.hacked=1>"));
    assert.equal(await page.evaluate(() => window.hacked), undefined);
    assert.equal(await page.locator("img").count(), 0);
  },
  async "a filter filters"(page) {
    await page.keyboard.press("/");
    await page.keyboard.type("sort 9000");
    assert.deepEqual(await names(page), ["sort"]);
    assert.equal(await page.locator("#series .card").count(), 1);
    await page.locator("#search").fill("no such thing");
    assert.ok((await page.locator("#overview tbody").textContent()).includes("No series"));
    await page.locator("#search").fill("");
    await page.locator(".chip[data-verdict=regression]").click();
    assert.equal((await names(page)).length, 3);
    await page.locator(".chip[data-verdict=regression]").click();
    assert.equal((await names(page)).length, 4);
  },
  async "a column sorts, and sorts back"(page) {
    const button = page.locator("#overview th[data-key=current] button");
    await button.click();
    const ascending = await names(page);
    assert.equal(await page.locator("#overview th[data-key=current]").getAttribute("aria-sort"), "ascending");
    await button.click();
    assert.deepEqual(await names(page), ascending.reverse());
  },
  async "a hover tells of the run"(page) {
    // A chart is drawn when it comes into view, and again when its width changes: its frame stays.
    const chart = page.locator("#series .chart").first();
    await chart.scrollIntoViewIfNeeded();
    const plot = chart.locator(".u-over");
    const box = await plot.boundingBox();
    await plot.hover({ position: { x: box.width - 3, y: box.height / 2 } });
    await page.locator("#tip").waitFor({ state: "visible" });
    const text = await page.locator("#tip").textContent();
    for (const part of ["change 23 <script>", "Ann Author", "n = 5", "against the ratchet line"]) assert.ok(text.includes(part), text);
    await page.mouse.move(2, 2);
  },
  async "the keyboard moves along the runs"(page) {
    const chart = page.locator("#series .chart").first();
    await chart.focus();
    await page.keyboard.press("Home");
    assert.ok((await page.locator("#tip").textContent()).includes("change 0 "));
    await page.keyboard.press("ArrowRight");
    assert.ok((await page.locator("#tip").textContent()).includes("change 1 "));
    await page.keyboard.press("+");
    await page.keyboard.press("0");
    await page.keyboard.press("Escape");
    assert.equal(await page.locator("#tip").isVisible(), false);
  },
  async "a row leads to its chart"(page) {
    await page.locator("#overview td.name a").last().click();
    assert.match(page.url(), /#series-\d+$/);
  },
  async "light and dark"(page) {
    const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const before = await background();
    await page.locator("#theme").click();
    assert.notEqual(await background(), before);
  },
  async "nothing reaches beyond the window"(page) {
    const [wide, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.ok(wide <= window, `${wide} > ${window}`);
  },
  async "the overview is whole in windows of every width"(page) {
    const size = page.viewportSize();
    for (const width of [390, 780, 1000, 1280]) {
      await page.setViewportSize({ width, height: 900 });
      const [table, frame] = await page.evaluate(() => {
        const scroll = document.querySelector(".scroll");
        return [scroll.scrollWidth, scroll.clientWidth];
      });
      assert.ok(table <= frame, `${table} > ${frame} in a window of ${width}`);
    }
    await page.setViewportSize(size);
  },
};

let failed = 0;
for (const [width, height, scheme] of [[1280, 900, "light"], [390, 844, "dark"]]) {
  const { page, faults } = await open(width, height, scheme);
  const picture = `${screenshots}/${width}-${scheme}.png`;
  await page.screenshot({ path: picture });
  assert.ok(statSync(picture).size > 10_000, "the picture is empty");
  for (const [name, test] of Object.entries(tests)) {
    try {
      await test(page);
      console.log(`ok ${width} ${name}`);
    } catch (error) {
      failed++;
      console.log(`FAILED ${width} ${name}: ${error.message}`);
    }
  }
  if (faults.length > 0) {
    failed++;
    console.log(`FAILED ${width}: ${faults.join("; ")}`);
  }
}
await browser.close();
console.log(failed === 0 ? "all checks passed" : `${failed} checks failed`);
process.exit(failed === 0 ? 0 : 1);
