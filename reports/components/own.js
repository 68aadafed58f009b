// The data layer of a plant's own pages: the text of their queries, answered from the published marts.
import { get, writable } from 'svelte/store';
import { manifest } from './answers.js';

const TYPES = { 2: 'number', 3: 'number', 6: 'boolean', 7: 'number', 8: 'date', 10: 'date' };
const lists = new Map();

/** One sentence for each query of the page that cannot be answered, by the query's name. */
export const refused = writable({});

/** The rows of a query, with the types of their columns as the compiler's components ask for them. */
export const query = async (sql, { query_name = 'of this page' } = {}) => {
	const { martsOf, openly } = await import('./asking.js'); // the compiler reads this module without a browser
	const current = get(manifest);
	const { key } = current.marts;
	if (!lists.has(key)) lists.set(key, martsOf(current));
	const name = query_name.replace(/_(data|length|columns)$/, ''); // a query asks for these one after the other
	const table = await openly(sql, current.version, await lists.get(key), name).catch((error) => {
		refused.update((sentences) => ({ ...sentences, [name]: error.message }));
		throw error;
	});
	const fields = table.schema.fields.map(({ name, type }) => ({ name, evidenceType: TYPES[type.typeId] ?? 'string', typeFidelity: 'precise' }));
	const plain = (value, kind) => (value === null || value === undefined ? null : kind === 'date' ? new Date(Number(value)) : typeof value === 'bigint' ? Number(value) : value);
	const rows = table.toArray().map((row) => Object.fromEntries(fields.map(({ name, evidenceType }) => [name, plain(row[name], evidenceType)])));
	return Object.defineProperty(rows, '_evidenceColumnTypes', { enumerable: false, value: fields });
};
