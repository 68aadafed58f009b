// The board's settings stored on the device. Draws nothing.
const NAME = 'floorhouse.station';

/** The station chosen on this device: {site, station, name}; undefined if none is stored. */
export const myStation = () => {
	try {
		return JSON.parse(localStorage.getItem(NAME)) ?? undefined;
	} catch {
		return undefined;
	}
};

export const rememberStation = (mine) => {
	try {
		localStorage.setItem(NAME, JSON.stringify(mine));
	} catch {
		// storage may be disabled; the address can be bookmarked instead
	}
};
