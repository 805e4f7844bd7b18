// Drops images on the page of a server, as a visitor does. SERVED is its address.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { readFileSync } from "node:fs";
import path from "node:path";
import * as reader from "./reader.mjs";

const { fits, shot } = reader;
const served = process.env.SERVED;
const pictures = path.resolve("../classifier");
before(() => served && reader.answers(served));
const open = (options) => reader.open(served, { viewport: { width: 900, height: 700 }, ...options });

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
	await shot(page, "serve", {});
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
	await fits(page);
	await shot(page, "serve-narrow", {});
	await context.close();
});
