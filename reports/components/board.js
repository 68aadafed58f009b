// What a board remembers of the device that shows it. Nothing here draws.
const NAME = 'floorhouse.station';

/** The station that this device was told to be: {site, station, name}; undefined where none was, or nothing is kept. */
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
		// storage may be forbidden; the address can be kept as a bookmark
	}
};
