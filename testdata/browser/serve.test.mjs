// Drops images on the page of a server, as a visitor does. SERVED is its address; CHROMIUM the browser, by default Debian's; SHOTS a folder for pictures.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { readFileSync } from "node:fs";
import path from "node:path";
import { chromium } from "playwright-core";

const served = process.env.SERVED, shots = process.env.SHOTS;
const pictures = path.resolve("../classifier");
let browser;

before(async () => {
	browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
});
after(() => browser?.close());

async function open(options) {
	const context = await browser.newContext({ viewport: { width: 900, height: 700 }, ...options });
	const page = await context.newPage();
	const requests = [], complaints = [];
	page.on("request", (r) => requests.push(r.url()));
	page.on("pageerror", (e) => complaints.push(String(e)));
	await page.goto(served);
	return { page, context, requests, complaints };
}

test("an image is dropped, and its classes are shown", { skip: !served }, async () => {
	const { page, context, requests, complaints } = await open();
	const bytes = readFileSync(path.join(pictures, "boot.png")).toString("base64");
	await page.evaluate(async (b) => {
		const data = new DataTransfer();
		data.items.add(new File([Uint8Array.from(atob(b), (c) => c.charCodeAt(0))], "boot.png", { type: "image/png" }));
		document.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
	}, bytes);
	await page.locator(".answer li").first().waitFor();
	const lines = await page.locator(".answer li").allTextContents();
	assert.equal(lines.length, 5);
	assert.match(lines[0], /^Ankle boot8\d\.\d%$/);
	const shares = lines.map((l) => Number(l.match(/([\d.]+)%$/)[1]));
	assert.deepEqual(shares, [...shares].sort((a, b) => b - a), "the likeliest first");
	if (shots) await page.screenshot({ path: path.join(shots, "serve.png") });
	assert.deepEqual(complaints, []);
	assert.deepEqual(requests.filter((r) => !r.startsWith(served) && !r.startsWith("blob:")), [], "no request leaves the server");
	await context.close();
});

test("files are chosen, one of them no image, on a narrow and dark screen", { skip: !served }, async () => {
	const { page, context } = await open({ viewport: { width: 375, height: 700 }, colorScheme: "dark" });
	await page.locator("#file").setInputFiles([path.join(pictures, "dress.png"), path.join(pictures, "README.md")]);
	await page.locator(".answer li").first().waitFor();
	await page.locator(".wrong").waitFor();
	assert.match(await page.locator(".answer li").first().textContent(), /^Dress99\.\d%$/);
	assert.match(await page.locator(".wrong").textContent(), /it is a text/);
	const [wide, seen] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
	assert.ok(wide <= seen, `the page is ${wide} pixels wide, the window ${seen}`);
	if (shots) await page.screenshot({ path: path.join(shots, "serve-narrow.png") });
	await context.close();
});
