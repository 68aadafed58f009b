// Questions of readers to the published marts, answered by engines of their own: a mart's files are loaded when a question
// names it, and then the engine is locked, so that no question can read or send anything else. Draws nothing.
import { AsyncDuckDB, VoidLogger } from '@duckdb/duckdb-wasm';
import wasm from '@duckdb/duckdb-wasm/dist/duckdb-eh.wasm?url';
import EngineWorker from '@duckdb/duckdb-wasm/dist/duckdb-browser-eh.worker.js?worker';
import { addBasePath } from '@evidence-dev/sdk/utils/svelte';

const fetched = async (path) => {
	const answer = await fetch(addBasePath(path));
	if (!answer.ok) throw new Error(`the data file ${path} is gone (${answer.status}); load the page again`);
	return answer;
};

/** The marts of a manifest by name, each {row, columns: [name, type, meaning], files, bytes}. */
export const martsOf = async (manifest) => (await fetched(`/data/${manifest.marts.key}/marts.json`)).json();

const open = async () => {
	const database = new AsyncDuckDB(new VoidLogger(), new EngineWorker());
	await database.instantiate(wasm);
	await database.open({ query: { castBigIntToDouble: true, castDecimalToDouble: true } });
	return { database, connection: await database.connect() };
};

const load = async ({ database, connection }, name, files) => {
	const parts = await Promise.all(
		files.map(async (key, at) => {
			const part = `${name}.${at}.parquet`;
			await database.registerFileBuffer(part, new Uint8Array(await (await fetched(`/data/${key}/${name}.parquet`)).arrayBuffer()));
			return part;
		})
	);
	await connection.query(`create table "${name}" as select * from read_parquet([${parts.map((part) => `'${part}'`)}], union_by_name = true)`);
	await Promise.all(parts.map((part) => database.dropFile(part)));
};

const named = (sql, marts) => Object.keys(marts).filter((name) => new RegExp(`\\b${name}\\b`, 'i').test(sql));

let held; // {version, names, engine: promise}

const prepare = async (names, marts) => {
	const engine = await open();
	for (const name of names) await load(engine, name, marts[name].files);
	await engine.connection.query('set enable_external_access = false');
	return engine;
};

/** An engine that holds the marts which a question names, as one version published them; the engine before it ends. */
const engineFor = async (sql, version, marts) => {
	const wanted = named(sql, marts);
	const isSame = held?.version === version;
	if (!isSame || wanted.some((name) => !held.names.includes(name))) {
		const before = held;
		const names = [...new Set([...(isSame ? held.names : []), ...wanted])];
		held = { version, names, engine: prepare(names, marts) };
		held.engine.catch(() => (held = undefined));
		before?.engine.then(({ database }) => database.terminate(), () => {});
	}
	return held.engine;
};

// the ids of Arrow's types
const KINDS = { 2: 'number', 3: 'number', 6: 'yes', 7: 'number', 8: 'date' };
const TIMESTAMP = 10;
const kindOf = ({ type }) => (type.typeId === TIMESTAMP ? (type.timezone ? 'instant' : 'local') : (KINDS[type.typeId] ?? 'text'));

const plain = (value, kind) => {
	if (value === null || value === undefined) return null;
	if (typeof value === 'bigint') value = Number(value);
	if (kind === 'date') return new Date(Number(value)).toISOString().slice(0, 10);
	if (kind === 'local') return new Date(Number(value)).toISOString().slice(0, 19).replace('T', ' ');
	if (kind === 'instant') return Number(value);
	return typeof value === 'object' ? JSON.stringify(value.toJSON?.() ?? value) : value;
};

/** What an engine's error says, without its kind and final point. */
const toldOf = (error) => error.message.split('\n')[0].replace(/^(?:Error: )?(?:\w+ )?Error: /, '').replace(/[.!]?\s*$/, '');

/** One clear sentence of an engine's error. */
const sentence = (error) => {
	const [first] = error.message.split('\n');
	const told = toldOf(error);
	if (/disabled (through|by) configuration|file system|No files found|external access/i.test(first)) return 'A question may only read the marts listed below, nothing else.';
	return `The question cannot be answered: ${told}.`;
};

/** The answer to a question: {columns: [{id, kind}], rows, table}. Rejects with one sentence. */
export const question = async (sql, version, marts) => {
	try {
		const { connection } = await engineFor(sql, version, marts);
		const table = await connection.query(sql);
		const columns = table.schema.fields.map((field) => ({ id: field.name, kind: kindOf(field) }));
		const rows = table.toArray().map((row) => Object.fromEntries(columns.map(({ id, kind }) => [id, plain(row[id], kind)])));
		return { columns, rows, table };
	} catch (error) {
		throw new Error(sentence(error));
	}
};

let free; // {version, engine: promise, loaded: name → promise}

/** The Arrow table that answers a query of a page which the plant itself has written; loads marts as they are named. Rejects with one sentence. */
export const openly = async (sql, version, marts, query) => {
	try {
		return await answeredOpenly(sql, version, marts);
	} catch (error) {
		const told = toldOf(error);
		const [, missing] = told.match(/^Table with name (\S+) does not exist/) ?? [];
		throw new Error(
			missing
				? `The query ${query} asks for ${missing}, and no mart of that name is published for pages. “Ask” lists those that are; none of them names persons.`
				: `The query ${query} cannot be answered: ${told}.`
		);
	}
};

const answeredOpenly = async (sql, version, marts) => {
	if (free?.version !== version) {
		free?.engine.then(({ database }) => database.terminate(), () => {});
		free = { version, engine: open(), loaded: new Map() };
	}
	const { engine, loaded } = free;
	const held = await engine;
	for (const name of named(sql, marts)) {
		if (!loaded.has(name)) loaded.set(name, load(held, name, marts[name].files));
		await loaded.get(name);
	}
	return held.connection.query(sql);
};

/** The bytes of an answer's Parquet file. The locked engine cannot write one, and another one runs no text of readers. */
export const parquet = async ({ table }) => {
	const { database, connection } = await open();
	try {
		await connection.insertArrowTable(table, { name: 'answer' });
		await connection.query("copy answer to 'answer.parquet' (format parquet, compression zstd)");
		return await database.copyFileToBuffer('answer.parquet');
	} finally {
		await database.terminate();
	}
};

/** End the engine, when the page is left. */
export const rest = () => {
	held?.engine.then(({ database }) => database.terminate(), () => {});
	held = undefined;
};
