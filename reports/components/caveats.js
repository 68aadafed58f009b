// What limits the trust in figures: incidents that touch a site and dates, what people found when they checked the
// cameras, and evidence. Draws nothing.
import { written } from './formats.js';

const isAbout = (row, site) => !site || row.site_id === site || row.site_id === '*';

/** The incidents whose evidence touches a site (none: any site) between two dates, both included. */
export const incidentsIn = (frame, site, first, last) =>
	first ? (frame?.incidents ?? []).filter((row) => isAbout(row, site) && row.from_date <= last && (row.to_date ?? '9999') >= first) : [];

const wordsOf = (row) =>
	`“${row.event_type.replace('_', ' ')}” of ${row.worse_version} was right in only ${written(row.worse_accuracy, 'share')} of people's checks (all: ${written(row.low, 'share')} to ${written(row.high, 'share')})`;

/** What a figure about a site and dates is marked for: incidents, and model versions that people found worse. */
export const marksIn = (frame, site, first, last) => {
	const worse = (frame?.beliefs ?? []).filter((row) => row.worse_version && isAbout(row, site) && first && row.worse_from <= last && (row.worse_to ?? '9999') >= first);
	return [...incidentsIn(frame, site, first, last), ...worse.map((row) => ({ ...row, sentence: wordsOf(row) }))];
};

/** Both ends of the dates that a page shows: its period, or the date of its one shift. */
export const datesShown = (filters, values) =>
	filters.includes('window') && !filters.includes('period') ? [values?.shift_date, values?.shift_date] : [values?.from_date, values?.to_date];

/** How often reports of these types are right at a site, by people's labels; of all sites only those with a bad version. */
export const beliefsAbout = (frame, site, types) =>
	(frame?.beliefs ?? []).filter((row) => types.includes(row.event_type) && (site ? isAbout(row, site) : row.worse_version));

/** The share of its time for which somebody vouches, in words; nothing where the evidence is not thin. */
export const thinness = (row) => (row?.is_thin ? `only ${written(row.evidence, 'share')} seen` : '');
