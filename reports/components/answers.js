// The answers to a page's queries: prepared answers for default values, else the engine's answers to the same SQL. All
// answers of a page come from one manifest, so versions never mix.
import { derived, get, writable } from 'svelte/store';
import { addBasePath } from '@evidence-dev/sdk/utils/svelte';
import { dateBefore } from './choices.js';
import { byColumns, inOrder } from './formats.js';

const texts = import.meta.glob('../queries/*/*.sql', { query: '?raw', import: 'default', eager: true });
const QUERIES = {};
for (const [path, sql] of Object.entries(texts)) {
	const [folder, file] = path.split('/').slice(-2);
	(QUERIES[folder] ??= {})[file.slice(0, -4)] = sql;
}
const queriesOf = (page) => QUERIES[page] ?? {}; // a page of questions has none
const PARAMETER = /\$(site|from_date|to_date|shift_date|window_shift|shift|station|worker|line)\b/g;

/** The newest manifest read, as an object with `frame` unpacked into rows; undefined before the first. */
export const manifest = writable(undefined);
/** The plant's name for titles and paper. */
export const plant = derived(manifest, (current) => current?.plant || 'Floorhouse');
/** A message if the site's data cannot be read at all. */
export const trouble = writable(undefined);
/** When the server last answered (epoch milliseconds); 0 before the first answer. */
export const heard = writable({ at: 0 });

const unpack = ({ columns, rows }) => rows.map((row) => Object.fromEntries(columns.map((name, at) => [name, row[at]])));

const PATIENCE_SECONDS = 10; // for a server that accepts the request and never answers

let text;
let reading;

const read = async () => {
	try {
		const answer = await fetch(addBasePath('/data/manifest.json'), { cache: 'no-store', signal: AbortSignal.timeout(PATIENCE_SECONDS * 1000) });
		if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
		const newest = await answer.text();
		trouble.set(undefined);
		heard.set({ at: Date.now() });
		if (newest === text) return;
		const parsed = JSON.parse(newest);
		const frame = Object.fromEntries(Object.entries(parsed.frame).map(([name, rows]) => [name, unpack(rows)]));
		text = newest;
		frame.beliefs.sort(byColumns(['site_id', 'event_type']));
		frame.sites.sort(byColumns(['name', 'site_id']));
		frame.shifts.sort((a, b) => (a.shift_id === 'unscheduled') - (b.shift_id === 'unscheduled') || inOrder(a.shift_id, b.shift_id));
		manifest.set({ ...parsed, frame: { ...frame, published: frame.published[0] } });
	} catch (error) {
		// the server may be unavailable for a moment: the page keeps what it shows
		if (!get(manifest)) trouble.set(`The data of this report cannot be read (${error.message}).`);
	}
};

/** Check for a newer published version; only one check at a time. */
export const look = () => (reading ??= read().finally(() => (reading = undefined)));

const literal = (value) => (value === null || value === undefined ? 'null' : `'${String(value).replaceAll("'", "''")}'`);
const filled = (sql, values) =>
	sql.replace(PARAMETER, (_, name) => (name.endsWith('_date') ? `cast(${literal(values[name])} as date)` : literal(values[name])));
const parameters = (sql) => new Set(Array.from(sql.matchAll(PARAMETER), (match) => match[1]));

/** The folders of the parts of a table that match the values; the part without rows gives the columns. */
const partsFor = (table, asked, values, current) => {
	const { parts } = current.tables[table];
	const [first, last] = asked.has('shift_date') ? [values.shift_date, values.shift_date] : [values.from_date, values.to_date];
	const isBound = asked.has('shift_date') || asked.has('from_date');
	const wanted = Object.keys(parts).filter((name) => {
		if (name === '' || name === 'all') return true;
		if (name.includes('/')) return name === `${values.site}/${values.shift_date}/${values.window_shift}`;
		return !isBound || (name >= (first ?? '').slice(0, name.length) && name <= (last ?? '').slice(0, name.length));
	});
	return wanted.map((name) => parts[name]);
};

const prepared = new Map(); // folder → promise of a page's answers
const prepare = (page, key) => {
	if (!prepared.has(key)) {
		const loading = fetch(addBasePath(`/data/${key}/${page}.json`)).then((answer) => {
			if (!answer.ok) throw new Error(`The data file ${key}/${page} is gone: ${answer.status}`);
			return answer.json();
		});
		loading.catch(() => prepared.delete(key));
		prepared.set(key, loading);
	}
	return prepared.get(key);
};

const engine = () => import('./engine.js');
let isWarm = false;
const rehearsed = new Set(); // pages whose queries the engine has run once

const MANY_SITES = 8;
const LONGER_DAYS = 31;

/** The choices that are likely next: a longer period, and each site of a plant with few. */
const likelyNext = (values, { frame }) => {
	const { newest_date, first_date } = frame.published;
	const longer = newest_date ? dateBefore(newest_date, LONGER_DAYS - 1) : null;
	const isOne = Boolean(values.worker || values.line || values.station);
	const sites = isOne || values.site || frame.sites.length > MANY_SITES ? [] : frame.sites.map(({ site_id }) => ({ ...values, site: site_id }));
	return longer && longer < values.from_date && first_date < values.from_date ? [...sites, { ...values, from_date: longer }] : sites;
};

/** Start the engine while the reader looks at the first figures and run the page's queries, for what is shown and for the choices that are likely next, so that their data is loaded and the first choice is answered at once. */
export const warmUp = (page, values, current) => {
	// a phone does not load the engine's megabytes before a choice is made
	if (rehearsed.has(page) || !QUERIES[page] || matchMedia('(width < 40rem), (pointer: coarse)').matches) return;
	rehearsed.add(page);
	isWarm = true;
	const begin = async () => {
		try {
			await (await engine()).ready();
			for (const chosen of [values, ...likelyNext(values, current)]) {
				for (const sql of Object.values(QUERIES[page])) {
					// one at a time, so that a reader's own choice waits for one query at most
					if (parameters(sql).size && get(manifest) === current) await askEngine(sql, chosen, current);
				}
			}
		} catch {
			rehearsed.delete(page);
		}
	};
	setTimeout(() => (window.requestIdleCallback ?? setTimeout)(begin), 400);
};

const KEPT_ANSWERS = 200;
const asked = new Map(); // version and text → promise of rows, so that returning to a choice runs no query

const askEngine = (sql, values, current) => {
	const wanted = parameters(sql);
	const text = filled(sql, values);
	const key = `${current.version} ${current.definitions} ${text}`;
	if (!asked.has(key)) {
		const asking = engine().then(({ ask }) => ask(text, (table) => partsFor(table, wanted, values, current)));
		asking.catch(() => asked.delete(key));
		asked.set(key, asking);
		if (asked.size > KEPT_ANSWERS) asked.delete(asked.keys().next().value);
	}
	return asked.get(key);
};

const answerOne = async (page, name, values, current) => {
	const sql = QUERIES[page][name];
	const entry = current.pages[page];
	if (entry && [...parameters(sql)].every((parameter) => (entry.values[parameter] ?? null) === (values[parameter] ?? null))) {
		return { rows: unpack((await prepare(page, entry.key))[name]) };
	}
	try {
		return { rows: await askEngine(sql, values, current) };
	} catch (error) {
		if (/is gone/.test(error.message)) throw error;
		return { rows: [], error: error.message };
	}
};

const answer = async (page, chosen, current) => {
	let values = chosen;
	// the page of one worker or station opens with the newest window that has data about it
	if (queriesOf(page).opening && !chosen.is_date_chosen) {
		values = { ...chosen, ...(await answerOne(page, 'opening', chosen, current)).rows[0] };
	}
	const names = Object.keys(queriesOf(page)).filter((name) => name !== 'opening');
	const results = await Promise.all(names.map(async (name) => [name, await answerOne(page, name, values, current)]));
	return { values, manifest: current, ...Object.fromEntries(results) };
};

/** Answers to all queries of a page, each {rows, error}, with their manifest and values. */
export const answerPage = async (page, values, current) => {
	try {
		return await answer(page, values, current);
	} catch (error) {
		// two batches have published since this manifest was read, so its files are gone; use the newest manifest
		await look();
		const newest = get(manifest);
		if (newest === current) throw error;
		return answer(page, values, newest);
	}
};

let tidied;

/** Drop engine tables that are no longer shown. */
export const tidy = async (current) => {
	if (tidied === current) return;
	tidied = current;
	const pages = new Set(Object.values(current.pages).map(({ key }) => key));
	for (const key of prepared.keys()) if (!pages.has(key)) prepared.delete(key);
	for (const key of asked.keys()) if (!key.startsWith(`${current.version} `)) asked.delete(key);
	if (!isWarm) return;
	const keys = new Set(Object.values(current.tables).flatMap(({ parts }) => Object.values(parts)));
	await (await engine()).forget(keys);
};

/** An answer filtered to the rows with these values. */
export const rowsWhere = (answer, where) =>
	answer?.rows ? { ...answer, rows: answer.rows.filter((row) => Object.entries(where).every(([name, value]) => row[name] === value)) } : answer;
