// Reads the lesson as a student does. LESSON is its address.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as reader from "./reader.mjs";

const { colours, fits, shot } = reader;
const lesson = process.env.LESSON;
before(() => lesson && reader.answers(lesson));
const open = (options) => reader.open(lesson, { viewport: { width: 1100, height: 800 }, ...options });

test("every section has its figures, drawn and in a table, and nothing is asked of another server", { skip: !lesson }, async () => {
	const { page, context, requests, complaints } = await open();
	assert.equal(await page.locator("h2").count(), 8);
	for (const link of await page.locator("nav a").all()) assert.equal(await page.locator(await link.getAttribute("href")).count(), 1);
	for (const [id, curves] of [["error", 8], ["gradients", 4], ["responses", 4]]) {
		const drawn = await page.locator(`#figure-${id} path.curve`).evaluateAll((all) => all.map((c) => c.getAttribute("d")));
		assert.equal(drawn.length, curves, id);
		for (const d of drawn) assert.ok(d.length > 20 && !d.includes("NaN"), `${id}: ${d}`);
	}
	// The drawing of gradients begins with the value that the table has: the first convolution of the first network.
	const first = await page.locator("#starts tbody tr").first().locator("td").nth(2).textContent();
	await page.locator("#figure-gradients .panel svg").first().focus();
	await page.keyboard.press("Home");
	const tip = await page.locator("#figure-gradients .panel .tip").first().innerText();
	assert.equal(Number(tip.match(/plain56\s+([\d.]+)/)[1]).toPrecision(3), Number(first).toPrecision(3));
	// A block of each kind, of which one has an addition.
	const additions = await page.locator(".blocks svg.net").evaluateAll((all) => all.map((s) => s.querySelectorAll("circle").length));
	assert.deepEqual(additions, [0, 1]);
	await shot(page, "lesson-wide");
	assert.deepEqual([...new Set(requests.map((r) => new URL(r).origin))], [new URL(lesson).origin]);
	assert.deepEqual(complaints, []);
	await context.close();
});

test("the visitor's trainings are compared, and their reports open", { skip: !lesson }, async () => {
	const { page, context, requests, complaints } = await open();
	const names = await page.locator("#runs tbody tr td:first-child").allTextContents();
	assert.equal(names.length, 4);
	assert.ok((await page.locator("#figure-own-error path.curve").count()) >= 8);
	await page.locator("#runs a", { hasText: "plain8-seed1" }).click();
	await page.waitForLoadState();
	assert.match(await page.title(), /plain8/);
	assert.ok((await page.locator("table td").count()) > 0);
	const pictures = await page.locator("img").evaluateAll((all) => Promise.all(all.map((i) => i.decode().then(() => i.naturalWidth, () => 0))));
	assert.ok(pictures.length > 0 && pictures.every((w) => w > 0), `pictures ${pictures} pixels wide`);
	assert.deepEqual([...new Set(requests.map((r) => new URL(r).origin))], [new URL(lesson).origin]);
	assert.deepEqual(complaints, []);
	await context.close();
});

test("it is read with the keyboard alone", { skip: !lesson }, async () => {
	const { page, context } = await open();
	await page.keyboard.press("Tab");
	assert.equal(await page.evaluate(() => document.activeElement.textContent), "To the lesson");
	await page.keyboard.press("Enter");
	assert.equal(new URL(page.url()).hash, "#degradation");
	const seen = [];
	for (let i = 0; i < 60; i++) {
		await page.keyboard.press("Tab");
		seen.push(await page.evaluate(() => document.activeElement.closest("figure")?.id || document.activeElement.tagName));
	}
	for (const want of ["figure-error", "SUMMARY", "figure-gradients", "figure-responses"]) assert.ok(seen.includes(want), `${want} among ${seen}`);
	const question = page.locator("details.answer summary").first();
	await question.focus();
	await page.keyboard.press("Enter");
	assert.ok(await page.locator("details.answer p").first().isVisible());
	await context.close();
});

test("375 pixels are enough, light and dark", { skip: !lesson }, async () => {
	for (const colorScheme of ["light", "dark"]) {
		const { page, context, complaints } = await open({ viewport: { width: 375, height: 700 }, colorScheme });
		await fits(page);
		const [back, text] = await colours(page);
		assert.equal(back > text, colorScheme === "light");
		await shot(page, "lesson-narrow-" + colorScheme);
		assert.deepEqual(complaints, []);
		await context.close();
	}
});

test("it prints in light colours, with still figures where scripts are off", { skip: !lesson }, async () => {
	const { page, context } = await open({ colorScheme: "dark" });
	await page.emulateMedia({ media: "print", colorScheme: "dark" });
	const [back, text] = await colours(page);
	assert.ok(back > text);
	assert.equal(await page.locator("nav:visible, .scale:visible").count(), 0);
	await shot(page, "lesson-print");
	await context.close();
	const still = await open({ javaScriptEnabled: false });
	assert.equal(await still.page.locator(".still:visible svg").count(), await still.page.locator("figure").count());
	await still.context.close();
});
