// How numbers, instants and dates are written for people. Queries give seconds, ratios from 0 to 1, and epoch milliseconds.

export const NOTHING = '–';

const number = (digits) => new Intl.NumberFormat('en-GB', { minimumFractionDigits: digits, maximumFractionDigits: digits });
const whole = number(0);
const oneDigit = number(1);

/** Hours and minutes; above 100 hours the minutes say nothing any more. */
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

const dayNames = new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric', month: 'short', timeZone: 'UTC' });
const dayShort = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });
const WEEKDAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];

const clocks = new Map();
const clock = (zone, options) => {
	const key = zone + JSON.stringify(options);
	if (!clocks.has(key)) clocks.set(key, new Intl.DateTimeFormat('en-GB', { ...options, timeZone: zone }));
	return clocks.get(key);
};

/** An instant (epoch milliseconds) as the clock on the wall of a site shows it, with the zone's short name. */
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

/** A shift date as people say it. */
export const day = (date) => (date ? dayNames.format(new Date(`${date}T00:00Z`)) : NOTHING);
export const shortDay = (date) => (date ? dayShort.format(new Date(`${date}T00:00Z`)) : NOTHING);

/** How long ago, in the largest unit that says enough. */
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
	ratio: (value) => value.toFixed(3),
	instant: (value, zone) => localInstant(value, zone),
	time: (value, zone) => localTime(value, zone),
	day,
	weekday: (value) => WEEKDAYS[value - 1],
	yes: (value) => (value ? 'yes' : 'no'),
	text: (value) => String(value)
};

/** A figure as people read it; a ratio whose denominator was 0 is a dash, never 0. */
export const written = (value, format = 'text', zone = 'UTC') =>
	value === null || value === undefined || Number.isNaN(value) ? NOTHING : WRITERS[format](value, zone);

export const isNumeric = (format) =>
	['percent', 'share', 'duration', 'hours', 'rate', 'count', 'signed', 'size', 'ratio', 'seconds'].includes(format);
