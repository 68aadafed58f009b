// A table as a CSV file for spreadsheets of the reader's locale: byte-order mark, separator and decimal mark, ids
// beside names, local times with zone. Knows nothing about a table's content.
import { filed, isNumeric, MARKS, unitOf } from './formats.js';

const cell = (value, format) => {
	// a cell that a spreadsheet would read as a formula becomes text; a negative number is not a formula
	const safe = !isNumeric(format) && /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
	return safe.includes(MARKS.separator) || /["\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};

const head = ({ title, format }) => (unitOf(format) ? `${title} (${unitOf(format)})` : title);

/** The columns of a file: each column, followed by its id column if it has one. */
const withIds = (columns, siteOf) =>
	columns.flatMap((column) => {
		if (column.id === 'site_id') return [{ ...column, read: siteOf }, { title: 'Site id', read: (row) => row.site_id }];
		const own = { ...column, read: (row) => row[column.id] };
		return column.key ? [own, { title: `${column.title} id`, read: (row) => row[column.key] }] : [own];
	});

/** The text of the file. */
export const csv = ({ columns, rows, siteOf, zoneFor }) => {
	const wide = withIds(columns, siteOf);
	const lines = rows.map((row) => wide.map(({ format, read }) => cell(filed(read(row), format, zoneFor(row)), format)));
	return [wide.map((column) => cell(head(column))), ...lines].map((line) => line.join(MARKS.separator) + '\r\n').join('');
};

const periodOf = (filters, { from_date, to_date, shift_date, window_shift }) => {
	if (filters.includes('period')) return from_date ? `-${from_date}-to-${to_date}` : '';
	return filters.includes('window') && shift_date ? `-${shift_date}-${window_shift}` : '';
};

/** Save a table; the file's name contains the period chosen by the page's `filters`. */
export const save = ({ name, filters, values, ...table }) => {
	const blob = new Blob(['\ufeff', csv(table)], { type: 'text/csv;charset=utf-8' });
	const link = document.createElement('a');
	link.href = URL.createObjectURL(blob);
	link.download = `${name}${periodOf(filters, values)}`.replace(/[^\w.-]+/g, '-') + '.csv';
	link.click();
	setTimeout(() => URL.revokeObjectURL(link.href), 1000);
};
