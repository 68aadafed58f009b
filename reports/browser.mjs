// Opens pages of the site in a real browser and tells, as JSON on standard output, what a reader would have met there.
// Standard input: {base, chromium, timezone, screenshots, visits: [{path, width, name, choices, script}]}.
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
		// what a page asks of any other host cannot even be looked up
		'--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'
	]
});

const settled = async (page) => {
	await page.waitForLoadState('networkidle');
	// a page is done when nothing on it is still a placeholder
	await page.waitForFunction(() => document.querySelector('main h1') && !document.querySelector('main .animate-pulse'), null, {
		timeout: 60000
	});
	await page.waitForLoadState('networkidle');
};

const visit = async ({ path, width, name, choices = {}, script = null }) => {
	const context = await browser.newContext({
		viewport: { width, height: width < 600 ? 844 : 900 },
		deviceScaleFactor: width < 600 ? 2 : 1,
		timezoneId: order.timezone
	});
	const page = await context.newPage();
	const met = { path, width, name, consoleErrors: [], failedRequests: [], outsideRequests: [], bytes: 0 };
	page.on('console', (message) => message.type() === 'error' && met.consoleErrors.push(message.text()));
	page.on('pageerror', (error) => met.consoleErrors.push(String(error)));
	page.on('request', (request) => {
		const url = new URL(request.url());
		if (url.protocol.startsWith('http') && url.host !== loopback) met.outsideRequests.push(request.url());
	});
	page.on('requestfailed', (request) => met.failedRequests.push(`${request.url()} ${request.failure()?.errorText}`));
	page.on('response', (response) => response.status() >= 400 && met.failedRequests.push(`${response.url()} ${response.status()}`));
	const session = await context.newCDPSession(page);
	await session.send('Network.enable');
	session.on('Network.loadingFinished', (finished) => (met.bytes += finished.encodedDataLength));
	const started = Date.now();
	try {
		await page.goto(order.base + path, { timeout: 60000 });
		await settled(page);
		for (const [select, value] of Object.entries(choices)) await page.selectOption(`select[name="${select}"]`, value);
		if (Object.keys(choices).length) {
			await page.waitForTimeout(300);
			await settled(page);
		}
		if (script) {
			await page.evaluate(`(async () => { ${script} })()`);
			await settled(page);
		}
		met.milliseconds = Date.now() - started;
		if (order.screenshots) {
			await page.waitForTimeout(1500); // charts draw themselves in
			await page.screenshot({ path: `${order.screenshots}/${name}-${width}.png`, fullPage: true });
		}
		Object.assign(
			met,
			await page.evaluate(() => ({
				heading: document.querySelector('main h1').innerText,
				text: document.querySelector('main').innerText,
				figures: Object.fromEntries(
					Array.from(document.querySelectorAll('[data-figure]'), (figure) => [figure.dataset.figure, figure.innerText])
				),
				tables: Array.from(document.querySelectorAll('main table'), (table) =>
					Array.from(table.rows, (row) => Array.from(row.cells, (cell) => cell.innerText.trim()))
				),
				charts: document.querySelectorAll('main canvas, main .echarts svg, main [_echarts_instance_]').length,
				links: Array.from(document.querySelectorAll('a[href]'), (link) => link.href),
				scrollWidth: document.documentElement.scrollWidth
			}))
		);
	} catch (error) {
		met.problem = String(error);
	}
	await context.close();
	return met;
};

const visits = [];
try {
	for (const wanted of order.visits) visits.push(await visit(wanted));
} finally {
	await browser.close();
}
console.log(JSON.stringify(visits));
