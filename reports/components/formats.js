// Formats numbers, instants and dates. Queries return seconds, ratios from 0 to 1, and epoch milliseconds.

export const NOTHING = '–';

/** The reader's locale decides the format of numbers and dates and the order of names. */
export const LOCALE = globalThis.navigator?.language ?? 'en-GB';
const names = new Intl.Collator(LOCALE, { numeric: true });

/** The natural order of two names or ids: W2 before W10. */
export const inOrder = (a, b) => names.compare(a, b);

/** The order of rows by columns, texts in their natural order, missing values last; `-column` is the reverse. `read` gives a row's value. */
export const byColumns = (columns, read = (row, column) => row[column]) => (a, b) => {
	for (const name of columns) {
		const column = name.replace(/^-/, '');
		const [x, y] = [read(a, column) ?? null, read(b, column) ?? null];
		if (x === y) continue;
		if (x === null || y === null) return x === null ? 1 : -1;
		const found = typeof x === 'string' ? inOrder(x, y) : x - y;
		if (found) return column === name ? found : -found;
	}
	return 0;
};

const number = (digits) => new Intl.NumberFormat(LOCALE, { minimumFractionDigits: digits, maximumFractionDigits: digits });
const whole = number(0);
const oneDigit = number(1);
const threeDigits = number(3);
const upToThree = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 3 });

/** Hours and minutes; without minutes above 100 hours. */
const duration = (seconds) => {
	const minutes = Math.round(seconds / 60);
	if (Math.abs(minutes) >= 6000) return `${whole.format(minutes / 60)} h`;
	const hours = Math.trunc(minutes / 60);
	const rest = Math.abs(minutes % 60);
	return hours ? `${whole.format(hours)} h ${String(rest).padStart(2, '0')} min` : `${minutes < 0 ? '−' : ''}${rest} min`;
};

const size = (bytes) => {
	const steps = ['B', 'kB', 'MB', 'GB', 'TB'];
	const step = bytes < 1 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), 4);
	return `${(step ? oneDigit : whole).format(bytes / 1000 ** step)} ${steps[step]}`;
};

const dates = (options) => new Intl.DateTimeFormat(LOCALE, { ...options, timeZone: 'UTC' });
const SHORT = { day: 'numeric', month: 'short' };
const YEAR = { year: 'numeric' };
const WEEKDAY = { weekday: 'short' };
// with the year and without it
const dayNames = [dates({ ...WEEKDAY, ...SHORT }), dates({ ...WEEKDAY, ...SHORT, ...YEAR })];
const dayShort = [dates(SHORT), dates({ ...SHORT, ...YEAR })];
const WEEKDAYS = [1, 2, 3, 4, 5, 6, 7].map((at) => dates({ weekday: 'long' }).format(Date.UTC(2024, 0, at))); // a Monday on
let yearIsTold = 0;

/** 1 if dates touch two years, else 0. */
export const yearsIn = (...dates) => Number(new Set(dates.filter(Boolean).map((date) => date.slice(0, 4))).size > 1);

/** Show the year in every date if the page's dates touch two years. */
export const tellYears = (...dates) => (yearIsTold = yearsIn(...dates));

const clocks = new Map();
const clock = (zone, options) => {
	const key = zone + JSON.stringify(options);
	if (!clocks.has(key)) clocks.set(key, new Intl.DateTimeFormat(LOCALE, { hourCycle: 'h23', ...options, timeZone: zone }));
	return clocks.get(key);
};

/** An instant (epoch milliseconds) as local time of a site, with the zone's short name. */
export const localInstant = (ms, zone = 'UTC') =>
	ms === null || ms === undefined
		? NOTHING
		: clock(zone, {
				day: 'numeric',
				month: 'short',
				year: 'numeric',
				hour: '2-digit',
				minute: '2-digit',
				timeZoneName: 'short'
			}).format(ms);

export const localTime = (ms, zone = 'UTC') =>
	ms === null || ms === undefined ? NOTHING : clock(zone, { hour: '2-digit', minute: '2-digit' }).format(ms);

/** A shift date in long form; with the year if the page's dates touch two, or if `years` is 1. */
export const day = (date, years = 0) => (date ? dayNames[yearIsTold || years].format(new Date(`${date}T00:00Z`)) : NOTHING);
export const shortDay = (date, years = 0) => (date ? dayShort[yearIsTold || years].format(new Date(`${date}T00:00Z`)) : NOTHING);
export const longDay = (date) => (date ? dates({ ...YEAR, month: 'long', day: 'numeric' }).format(new Date(`${date}T00:00Z`)) : NOTHING);

/** How long ago, in the largest suitable unit. */
export const ago = (milliseconds) => {
	const minutes = Math.max(Math.round(milliseconds / 60000), 0);
	if (minutes < 60) return `${minutes} min`;
	if (minutes < 48 * 60) return `${Math.round(minutes / 60)} h`;
	return `${Math.round(minutes / 1440)} days`;
};

const signed = (value) => `${value < 0 ? '−' : value > 0 ? '+' : '±'}${whole.format(Math.abs(Math.round(value)))}`;

const WRITERS = {
	percent: (value) => `${oneDigit.format(value * 100)} %`,
	share: (value) => `${whole.format(value * 100)} %`,
	duration,
	hours: (value) => `${oneDigit.format(value)} h`,
	seconds: (value) => `${value < 0 ? '−' : ''}${oneDigit.format(Math.abs(value))} s`,
	rate: (value) => oneDigit.format(value),
	count: (value) => whole.format(value),
	signed,
	size,
	ratio: (value) => threeDigits.format(value),
	number: (value) => upToThree.format(value),
	instant: (value, zone) => localInstant(value, zone),
	time: (value, zone) => localTime(value, zone),
	day: (value) => day(value),
	weekday: (value) => WEEKDAYS[value - 1],
	yes: (value) => (value ? 'yes' : 'no'),
	text: (value) => String(value),
	course: (value) => String(value)
};

/** A formatted figure; a ratio with denominator 0 is a dash, never 0. */
export const written = (value, format = 'text', zone = 'UTC') =>
	value === null || value === undefined || Number.isNaN(value) ? NOTHING : WRITERS[format](value, zone);

/** The decimal mark and the cell separator of a file, for spreadsheets of the reader's locale. */
export const MARKS = (() => {
	const decimal = oneDigit.formatToParts(1.5).find((part) => part.type === 'decimal')?.value ?? '.';
	return { decimal, separator: decimal === ',' ? ';' : ',' };
})();

const DIGITS = { percent: [100, 1], share: [100, 0], duration: [1 / 3600, 2], hours: [1, 1], seconds: [1, 1], rate: [1, 1], count: [1, 0], signed: [1, 0], size: [1, 0], ratio: [1, 3], number: [1, 3] };

/** The unit of a column in a file. */
export const unitOf = (format) => ({ percent: '%', share: '%', duration: 'h', hours: 'h', seconds: 's', size: 'bytes' })[format];

const instantParts = (ms, zone) =>
	Object.fromEntries(
		new Intl.DateTimeFormat('en-GB', {
			year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone: zone, timeZoneName: 'longOffset'
		})
			.formatToParts(ms)
			.map(({ type, value }) => [type, value])
	);

/** A value for a file: numbers as they are shown, with the reader's decimal mark; instants as local times with zone. */
export const filed = (value, format = 'text', zone = 'UTC') => {
	if (value === null || value === undefined || Number.isNaN(value)) return '';
	if (format === 'instant' || format === 'time') {
		const { year, month, day, hour, minute, timeZoneName } = instantParts(value, zone);
		return `${year}-${month}-${day} ${hour}:${minute}${timeZoneName === 'GMT' ? '+00:00' : timeZoneName.slice(3)}`;
	}
	if (format in DIGITS) {
		const [factor, digits] = DIGITS[format];
		const text = (value * factor).toFixed(digits);
		return (format === 'number' ? String(Number(text)) : text).replace('.', MARKS.decimal);
	}
	return ['yes', 'weekday'].includes(format) ? written(value, format) : String(value);
};

export const isNumeric = (format) =>
	['percent', 'share', 'duration', 'hours', 'rate', 'count', 'signed', 'size', 'ratio', 'number', 'seconds'].includes(format);
