// Whom to call about a loss: the rows of contacts.csv that fit a place and a cause best. Draws nothing.

const fit = (row, place, cause) => {
	const fits = (wanted, own) => wanted === null || wanted === own;
	if (!(row.site_id === '*' || row.site_id === place.site_id)) return -1;
	if (!fits(row.line, place.line) || !fits(row.workstation_id, place.workstation_id) || !fits(row.cause, cause)) return -1;
	const near = row.workstation_id !== null ? 3 : row.line !== null ? 2 : row.site_id !== '*' ? 1 : 0;
	return 2 * near + (row.cause !== null);
};

/** The contacts for a place {site_id, line, workstation_id} and a cause of loss: nearest place first, then its own cause. */
export const contactsFor = (rows, place, cause) => {
	const rated = rows.map((row) => ({ row, rank: fit(row, place, cause) })).filter(({ rank }) => rank >= 0);
	const best = Math.max(...rated.map(({ rank }) => rank));
	return rated.filter(({ rank }) => rank === best).map(({ row }) => row);
};

/** A telephone link's address; undefined for what is no number. */
export const dial = (phone) => (/^[+0-9][0-9 ()/.-]*$/.test(phone ?? '') ? `tel:${phone.replace(/[^+0-9]/g, '')}` : undefined);
