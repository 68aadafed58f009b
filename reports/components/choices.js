// The reader's choices: kept in the page's address, so that a view can be shared, and resolved into query parameters.
// Draws nothing.
import { get } from 'svelte/store';
import { page } from '$app/stores';
import { goto } from '$app/navigation';

export const PERIODS = [
	{ value: '1', label: 'Newest date' },
	{ value: '7', label: 'Last 7 days' },
	{ value: '31', label: 'Last 31 days' },
	{ value: '92', label: 'Last 92 days' },
	{ value: 'all', label: 'All dates' }
];
export const DEFAULT_PERIOD = '7';
const KEPT = ['site', 'shift', 'period', 'from', 'to', 'date', 'station', 'worker', 'hour'];

/** The date some days before another, or after it where they are negative. */
export const dateBefore = (date, days) => new Date(Date.parse(`${date}T00:00Z`) - days * 86400000).toISOString().slice(0, 10);

/** Change choices in the address; an empty value removes one. Back leads to the choice before, unless it is `replaced`, as while somebody types. */
export const choose = (changes, { replaced = false } = {}) => {
	const url = new URL(get(page).url);
	for (const [name, value] of Object.entries(changes)) {
		if (value) url.searchParams.set(name, value);
		else url.searchParams.delete(name);
	}
	return goto(url, { replaceState: replaced || url.href === get(page).url.href, keepFocus: true, noScroll: true });
};

/** The address of another page with the choices that apply there too. */
export const linkTo = (path, search, changes = {}) => {
	const kept = new URLSearchParams();
	for (const name of KEPT) {
		const value = name in changes ? changes[name] : ['station', 'worker', 'date', 'hour'].includes(name) ? undefined : search.get(name);
		if (value) kept.set(name, value);
	}
	return path + (kept.size ? `?${kept}` : '');
};

/** The windows of a site on a date, by start. */
export const windowsOn = (frame, site, date) => frame.windows.filter((row) => row.site_id === site && row.shift_date === date);

/** The query parameters. `one`: for a page of one shift of one site, which opens with the site's focus. */
export const valuesOf = (search, params, frame, one) => {
	const { first_date, newest_date } = frame.published;
	const asked = (name) => search.get(name) || null;
	const site = params.site ?? asked('site') ?? (one ? (frame.sites[0]?.site_id ?? null) : null);
	const period = asked('period') ?? DEFAULT_PERIOD;
	const days = period === 'all' ? null : Number(period) || Number(DEFAULT_PERIOD);
	const to_date = asked('to') ?? newest_date;
	const from_date = asked('from') ?? (days && newest_date ? dateBefore(newest_date, days - 1) : first_date);
	const focus = frame.sites.find((row) => row.site_id === site);
	const shift_date = asked('date') ?? focus?.focus_date ?? null;
	const there = windowsOn(frame, site, shift_date).map((row) => row.shift_id);
	const window_shift = asked('shift') ?? (there.includes(focus?.focus_shift) ? focus.focus_shift : (there[0] ?? null));
	return {
		site,
		from_date,
		to_date,
		shift: asked('shift'),
		is_date_chosen: Boolean(asked('date')),
		shift_date,
		window_shift,
		station: params.workstation ?? asked('station'),
		worker: params.worker ?? asked('worker'),
		line: params.line ?? null
	};
};

/** The time zone for display: the chosen site's, or the one that all sites share, else UTC. */
export const zoneOf = (frame, site) => {
	const zones = new Set(frame.sites.filter((row) => !site || row.site_id === site).map((row) => row.timezone));
	return zones.size === 1 ? [...zones][0] : 'UTC';
};

export const siteName = (frame, site) => frame.sites.find((row) => row.site_id === site)?.name ?? site;

/** All dates from one to another, `step` days apart, for an axis of dates. */
export const datesBetween = (first, last, step = 1) => {
	const dates = [];
	for (let at = Date.parse(`${first}T00:00Z`); at <= Date.parse(`${last}T00:00Z`); at += step * 86400000) dates.push(new Date(at).toISOString().slice(0, 10));
	return dates;
};
