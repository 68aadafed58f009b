// Opens pages of the site in a headless browser and writes what a reader would see as JSON to standard output. Standard
// input: {base, chromium, timezone, screenshots, axe, visits: [{path, width, name, choices, script, scheme, media,
// check, fresh, now, locale, height}]}. Visits share the browser's cache with those of the same width, scheme and
// locale, unless they are `fresh`.
import { readFile } from 'node:fs/promises';
import { chromium } from 'playwright-core';

const order = JSON.parse(await new Response(process.stdin).text());
const loopback = new URL(order.base).host;

const browser = await chromium.launch({
	executablePath: order.chromium,
	args: [
		'--no-sandbox',
		'--disable-gpu',
		'--disable-quic',
		'--no-first-run',
		'--disable-background-networking',
		'--disable-component-update',
		'--disable-sync',
		// requests to other hosts cannot be resolved
		'--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'
	]
});

const contexts = new Map();
const contextOf = async ({ width, height, scheme, fresh, locale }) => {
	const open = () =>
		browser.newContext({
			viewport: { width, height: height ?? (width < 600 ? 844 : 900) },
			deviceScaleFactor: width < 600 ? 2 : 1,
			timezoneId: order.timezone,
			locale,
			hasTouch: width < 600,
			colorScheme: scheme,
			acceptDownloads: true
		});
	if (fresh) return open();
	const key = `${width} ${height} ${scheme} ${locale}`;
	if (!contexts.has(key)) contexts.set(key, await open());
	return contexts.get(key);
};

// a page is done when it shows figures or a message that there are none
const settled = async (page) => {
	await page.waitForFunction(
		() =>
			document.querySelector('main h1') &&
			(document.querySelector('main [role=alert]') ||
				(!document.querySelector('main [data-settled=false]') &&
					document.querySelector('main [data-settled=true], main [data-empty]'))),
		null,
		{ timeout: 20000, polling: 20 }
	);
};
// the effect of a choice needs a moment to start
const settledAgain = async (page) => {
	await page.waitForTimeout(350);
	await settled(page);
	await page.waitForLoadState('networkidle');
};

const visit = async (wanted) => {
	const { path, width, name, choices = {}, script = null, media = null, check = false } = wanted;
	const context = await contextOf(wanted);
	const page = await context.newPage();
	const met = { path, width, name, scheme: wanted.scheme, consoleErrors: [], failedRequests: [], outsideRequests: [], requests: [], bytes: 0, dataBytes: 0 };
	page.on('console', (message) => message.type() === 'error' && met.consoleErrors.push(message.text()));
	page.on('pageerror', (error) => met.consoleErrors.push(String(error)));
	page.on('request', (request) => {
		const url = new URL(request.url());
		if (url.protocol.startsWith('http')) met.requests.push(url.pathname);
		if (url.protocol.startsWith('http') && url.host !== loopback) met.outsideRequests.push(request.url());
	});
	page.on('requestfailed', (request) => met.failedRequests.push(`${request.url()} ${request.failure()?.errorText}`));
	page.on('response', (response) => response.status() >= 400 && met.failedRequests.push(`${response.url()} ${response.status()}`));
	const session = await context.newCDPSession(page);
	await session.send('Network.enable');
	const addresses = new Map();
	session.on('Network.responseReceived', ({ requestId, response }) => addresses.set(requestId, response.url));
	session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
		met.bytes += encodedDataLength;
		if (/\/data\//.test(addresses.get(requestId) ?? '')) met.dataBytes += encodedDataLength;
	});
	if (wanted.now) await page.clock.setFixedTime(new Date(wanted.now));
	const started = Date.now();
	try {
		await page.goto(order.base + path, { timeout: 30000, waitUntil: 'commit' });
		await settled(page);
		met.milliseconds = Date.now() - started;
		await page.waitForLoadState('networkidle');
		for (const [select, value] of Object.entries(choices)) {
			await page.selectOption(`select[name="${select}"]`, value);
			// on a busy machine the page itself needs a moment until it has taken the choice
			await page.waitForFunction(([key, chosen]) => new URLSearchParams(location.search).get(key) === chosen, [select, value]);
			await settledAgain(page);
		}
		if (script) {
			met.answer = await page.evaluate(`(async () => { ${script} })()`);
			await settledAgain(page);
		}
		if (media) {
			await page.emulateMedia({ media });
			await settledAgain(page); // charts are redrawn for the paper's width
		}
		if (check) {
			await page.evaluate(order.axe ??= await readFile(new URL('./node_modules/axe-core/axe.min.js', import.meta.url), 'utf8'));
			met.issues = await page.evaluate(async () =>
				(await window.axe.run(document)).violations.map(({ id, impact, nodes }) => ({
					id,
					impact,
					places: nodes.slice(0, 3).map((node) => `${node.target.join(' ')} ${node.failureSummary?.slice(0, 160) ?? ''}`)
				}))
			);
		}
		if (order.screenshots) await page.screenshot({ path: `${order.screenshots}/${name}-${width}${wanted.scheme === 'dark' ? '-dark' : ''}.png`, fullPage: true });
		Object.assign(
			met,
			await page.evaluate(() => ({
				address: location.pathname + location.search,
				title: document.title,
				heading: document.querySelector('main h1').innerText,
				text: document.querySelector('main').innerText,
				figures: Object.fromEntries(
					Array.from(document.querySelectorAll('[data-figure]'), (figure) => [figure.dataset.figure, figure.innerText])
				),
				tables: Array.from(document.querySelectorAll('main table'), (table) =>
					Array.from(table.rows, (row) => Array.from(row.cells, (cell) => cell.textContent.replace(/\s+/g, ' ').trim()))
				),
				charts: document.querySelectorAll('main [data-chart]').length,
				// where the page leads to; a telephone number is no page
				links: Array.from(document.querySelectorAll('a[href]:not([href^="tel:"])'), (link) => link.href),
				scrollWidth: document.documentElement.scrollWidth,
				scrollHeight: document.documentElement.scrollHeight,
				background: getComputedStyle(document.body).backgroundColor,
				shows: Array.from(document.querySelectorAll('.site-nav, .filters')).some((part) => part.checkVisibility())
			}))
		);
	} catch (error) {
		met.problem = String(error);
	}
	await page.close();
	if (wanted.fresh) await context.close();
	return met;
};

const visits = [];
try {
	for (const wanted of order.visits) visits.push(await visit(wanted));
} finally {
	await browser.close();
}
console.log(JSON.stringify(visits));
