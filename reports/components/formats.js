// How numbers and instants are written for people. Marts hold seconds, ratios from 0 to 1, and UTC instants.

const NOTHING = '–';

const number = (digits) =>
	new Intl.NumberFormat('en-GB', { minimumFractionDigits: digits, maximumFractionDigits: digits });

const whole = number(0);
const oneDigit = number(1);

const WRITERS = {
	percent: (value) => `${oneDigit.format(value * 100)} %`,
	hours: (value) => `${oneDigit.format(value)} h`,
	rate: (value) => oneDigit.format(value),
	count: (value) => whole.format(value),
	text: (value) => String(value)
};

/** A figure as people read it; a ratio whose denominator was 0 is a dash, never 0. */
export const written = (value, format) =>
	value === null || value === undefined || Number.isNaN(value) ? NOTHING : WRITERS[format](value);

/** A UTC instant to the minute, the same for readers in every time zone. */
export const instant = (value) =>
	value ? `${new Date(value).toISOString().slice(0, 16).replace('T', ' ')} UTC` : NOTHING;

/** A number as a share of another, in percent. */
export const share = (part, whole) => written(whole ? part / whole : null, 'percent');

const dayAndMonth = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });

/** The short form of a date or hour below a chart, where the full one would leave room for three labels. */
export const axisLabel = (value) => {
	const [, date, hour] = /^(\d{4}-\d{2}-\d{2})(?: (\d{2}:\d{2}))?$/.exec(value) ?? [];
	return hour ?? (date ? dayAndMonth.format(new Date(date)) : value);
};
