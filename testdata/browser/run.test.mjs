// Opens the page of a run as a reader does. RUN is a run's folder with its report, RESNET the program.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import * as reader from "./reader.mjs";

const run = process.env.RUN && path.resolve(process.env.RUN), program = process.env.RESNET && path.resolve(process.env.RESNET);
const report = run && path.join(run, "report.html");
const { colours, faults, fits, shot, shots } = reader;
const open = (options, file = report) => reader.open(pathToFileURL(file).href, options);
const curve = (page, figure, name) => page.locator(`#figure-${figure} .panel path.curve[data-name="${name}"]`);

test("the figures answer the pointer and the arrow keys", { skip: !run }, async () => {
	const { page, context, requests, complaints } = await open();
	assert.deepEqual(await page.locator("figure").evaluateAll((l) => l.map((f) => f.id)), ["figure-error", "figure-loss", "figure-rate", "figure-speed", "figure-calibration"]);
	const metrics = readFileSync(path.join(run, "metrics.csv"), "utf8").trim().split("\n").map((l) => l.split(","));
	const column = (name) => metrics.slice(1).map((row) => Number(row[metrics[0].indexOf(name)]));
	const panel = page.locator("#figure-error .panel > svg");
	await panel.focus();
	await page.keyboard.press("End");
	const tip = page.locator("#figure-error .tip");
	const text = await tip.textContent();
	assert.ok(text.includes(`iteration ${column("step").at(-1).toLocaleString("en")}`), text);
	for (const [name, values] of [["training", column("train_error")], ["test", column("test_error")]]) assert.ok(text.includes(`${name}${values.at(-1).toFixed(2)} %`), `${text} has ${name} ${values.at(-1)}`);
	const box = await panel.boundingBox();
	await page.mouse.move(box.x + 60, box.y + 100);
	assert.ok((await tip.textContent()).includes(`iteration ${column("step")[0].toLocaleString("en")}`));
	assert.equal(await curve(page, "error", "test").count(), 1);
	await page.locator("#figure-error button.group", { hasText: "test" }).click();
	assert.equal(await curve(page, "error", "test").count(), 0);
	assert.equal(await page.locator("#figure-calibration .scale").count(), 0, "a calibration curve has no logarithmic axis");
	assert.deepEqual(requests.filter((r) => !r.startsWith("data:")), [pathToFileURL(report).href]);
	assert.deepEqual(complaints, []);
	await context.close();
});

test("what it gets wrong is that of diagnostics.json", { skip: !run }, async () => {
	const { page, context } = await open();
	const d = JSON.parse(readFileSync(path.join(run, "diagnostics.json"), "utf8"));
	const cell = (label, predicted) => page.locator(".matrix tbody tr").nth(label).locator("td").nth(predicted);
	for (const c of d.confusion) assert.equal(await cell(c.label, c.predicted).textContent(), String(c.n));
	assert.equal(await page.locator(".matrix tbody td").evaluateAll((l) => l.reduce((a, td) => a + (Number(td.textContent) || 0), 0)), d.images);
	const errors = await page.locator(".classes .bar").evaluateAll((l) => l.map((td) => Number(td.textContent)));
	assert.deepEqual(errors, [...errors].sort((a, b) => b - a), "the worst class first");
	assert.equal(await page.locator(".card").count(), d.worst.length);
	const first = page.locator(".card").first();
	assert.ok((await first.textContent()).includes(d.classes[d.worst[0].label]));
	assert.equal(await first.locator("img.over").count(), 2);
	for (const img of await page.locator(".card img").all()) assert.ok(await img.evaluate((i) => i.complete && i.naturalWidth > 0), "every picture shows");
	// The map goes away under the pointer.
	const over = first.locator("img.over").first();
	assert.equal(await over.evaluate((i) => getComputedStyle(i).opacity), "1");
	await over.hover();
	assert.equal(await over.evaluate((i) => getComputedStyle(i).opacity), "0");
	await context.close();
});

test("it is valid, light and dark, narrow and wide, and prints", { skip: !run }, async () => {
	assert.deepEqual((await faults(readFileSync(report, "utf8"))).slice(0, 10), []);
	for (const colorScheme of ["light", "dark"]) for (const width of [1100, 375]) {
		const { page, context, complaints } = await open({ viewport: { width, height: 800 }, colorScheme });
		await fits(page);
		await shot(page, `run-${colorScheme}-${width}`);
		assert.deepEqual(complaints, []);
		await context.close();
	}
	const { page, context } = await open({ colorScheme: "dark" });
	await page.emulateMedia({ media: "print", colorScheme: "dark" });
	const [back, text] = await colours(page);
	assert.ok(back > text, "dark on light");
	await shot(page, "run-print");
	if (shots) await page.pdf({ path: path.join(shots, "run.pdf"), format: "A4" });
	await context.close();
});

test("many classes are a map that the pointer reads", { skip: !run || !program }, async () => {
	const dir = path.join(mkdtempSync(path.join(os.tmpdir(), "run-")), "run");
	cpSync(run, dir, { recursive: true });
	const file = path.join(dir, "diagnostics.json"), d = JSON.parse(readFileSync(file, "utf8")), k = 50;
	d.classes = Array.from({ length: k }, (_, i) => `breed ${i}`);
	d.confusion = Array.from({ length: k }, (_, i) => [{ label: i, predicted: i, n: 20 }, { label: i, predicted: (7 * i + 3) % k, n: 5 }]).flat().filter((c, i, all) => all.findIndex((o) => o.label === c.label && o.predicted === c.predicted) === i);
	writeFileSync(file, JSON.stringify(d));
	execFileSync(program, ["runs", "report", dir]);
	const { page, context, complaints } = await open({}, path.join(dir, "report.html"));
	const img = page.locator("#confusion-map img");
	await img.scrollIntoViewIfNeeded();
	const box = await img.boundingBox();
	const at = (label, predicted) => page.mouse.move(box.x + (predicted + 0.5) / k * box.width, box.y + (label + 0.5) / k * box.height);
	await at(10, 23);
	assert.equal(await page.locator("#confusion-map .tip").innerText(), "5 of 25\nbreed 10 (10) taken for\nbreed 23 (23)");
	await at(10, 24);
	assert.match(await page.locator("#confusion-map .tip").innerText(), /^0 of 25\n/);
	assert.equal(await page.locator(".matrix").count(), 0);
	await shot(page, "run-many");
	assert.deepEqual(complaints, []);
	await context.close();
});
