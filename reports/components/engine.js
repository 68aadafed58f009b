// The SQL engine in the browser: started by the first query, and loads whole Parquet parts, each once. Knows nothing
// about pages; answers.js decides which queries run.
import { AsyncDuckDB, VoidLogger } from '@duckdb/duckdb-wasm';
import wasm from '@duckdb/duckdb-wasm/dist/duckdb-eh.wasm?url';
import EngineWorker from '@duckdb/duckdb-wasm/dist/duckdb-browser-eh.worker.js?worker';
import { addBasePath } from '@evidence-dev/sdk/utils/svelte';

let started;
const loaded = new Map(); // folder of a part → promise of its table's name

const start = async () => {
	const database = new AsyncDuckDB(new VoidLogger(), new EngineWorker());
	await database.instantiate(wasm);
	await database.open({ query: { castBigIntToDouble: true, castDecimalToDouble: true } });
	return { database, connection: await database.connect() };
};

/** Start the engine if it is not running; resolves when it accepts queries. */
export const ready = () => (started ??= start());

const load = async (table, key) => {
	const { database, connection } = await ready();
	const answer = await fetch(addBasePath(`/data/${key}/${table}.parquet`));
	if (!answer.ok) throw new Error(`The data file ${key}/${table} is gone: ${answer.status}`);
	const name = `part_${key}`;
	await database.registerFileBuffer(`${key}.parquet`, new Uint8Array(await answer.arrayBuffer()));
	await connection.query(`create table ${name} as select * from read_parquet('${key}.parquet')`);
	await database.dropFile(`${key}.parquet`);
	return name;
};

const held = (table, key) => {
	if (!loaded.has(key)) {
		const loading = load(table, key);
		loading.catch(() => loaded.delete(key)); // the next query tries again
		loaded.set(key, loading);
	}
	return loaded.get(key);
};

/** Drop the tables of parts that no manifest names. */
export const forget = async (wanted) => {
	for (const [key, loading] of [...loaded]) {
		if (wanted.has(key)) continue;
		loaded.delete(key);
		const { connection } = await ready();
		await connection.query(`drop table if exists ${await loading}`).catch(() => {});
	}
};

const plain = (value) => (typeof value === 'bigint' ? Number(value) : (value ?? null));

/** The rows of a query over `plant.<table>`; `partsOf(table)` returns the folders of the parts that it needs. */
export const ask = async (sql, partsOf) => {
	const tables = [...new Set(Array.from(sql.matchAll(/plant\.(\w+)/g), (match) => match[1]))];
	const sources = {};
	for (const table of tables) {
		const names = await Promise.all(partsOf(table).map((key) => held(table, key)));
		sources[table] = `(${names.map((name) => `select * from ${name}`).join(' union all ')}) as ${table}`;
	}
	const { connection } = await ready();
	const result = await connection.query(sql.replace(/plant\.(\w+)/g, (_, table) => sources[table]));
	const names = result.schema.fields.map((field) => field.name);
	return result.toArray().map((row) => Object.fromEntries(names.map((name) => [name, plain(row[name])])));
};
