// The positions of values and labels in a chart. Draws nothing.

/** The round number at the end of a scale from 0 that includes `value`. */
export const nice = (value) => {
	if (!value) return 1;
	const power = 10 ** Math.floor(Math.log10(value));
	return [1, 1.2, 1.6, 2, 2.4, 3.2, 4, 5, 6, 8, 10].find((step) => step * power >= value) * power;
};

/** Both ends of a scale fitted to the values, in steps of a twentieth and within given limits. */
export const fitted = (values, lowest = 0, highest = undefined) => {
	if (!values.length) return [lowest, highest ?? 1];
	const [least, most] = [Math.min(...values), Math.max(...values)];
	const unit = highest === undefined ? nice(Math.max(most - least, Math.abs(most) / 10, 1e-9)) / 10 : highest / 20;
	const from = Math.max(Math.floor((least - unit / 2) / unit) * unit, lowest);
	const to = Math.min(Math.ceil((most + unit / 2) / unit) * unit, highest ?? Infinity);
	return to - from < 4 * unit ? [Math.max(to - 4 * unit, lowest), Math.max(to, lowest + 4 * unit)] : [from, to];
};

const LETTER = 6.4; // pixels, at 11 px

/** The labels that fit on an axis: evenly spaced from the newest, without overlap and within its ends. */
export const labelled = (texts, middle, left, right) => {
	if (!texts.length) return [];
	const wide = Math.max(...texts.map((text) => text.length)) * LETTER;
	const apart = texts.length > 1 ? middle(1) - middle(0) : right;
	const every = Math.max(Math.ceil((wide + 12) / Math.max(apart, 0.01)), 1);
	const shown = texts
		.map((text, at) => ({ text, at, x: Math.min(Math.max(middle(at), left + (text.length * LETTER) / 2), right - (text.length * LETTER) / 2) }))
		.filter(({ at }) => (texts.length - 1 - at) % every === 0);
	// a label that was moved inwards at an end may now touch its neighbour
	return shown.filter(({ x }, place) => place === shown.length - 1 || shown[place + 1].x - x >= wide + 6);
};

const SMALLEST_SAMPLE = 8;

/** The usual range of values (XmR): mean ± 2.66 mean moving ranges; undefined for few values. */
export const limitsOf = (values) => {
	const known = values.map((value, at) => ({ value, at })).filter(({ value }) => value !== null);
	if (known.length < SMALLEST_SAMPLE) return undefined;
	const mean = known.reduce((sum, { value }) => sum + value, 0) / known.length;
	const moves = known.slice(1).map(({ value }, at) => Math.abs(value - known[at].value));
	const reach = (2.66 * moves.reduce((sum, move) => sum + move, 0)) / moves.length;
	const [low, high] = [Math.max(mean - reach, 0), mean + reach];
	return { low, high, outside: known.filter(({ value }) => value < low || value > high).map(({ at }) => at) };
};

/** Whether a pointer left by a lifted finger; then its values stay visible. */
export const isTouched = (event) => event.pointerType === 'touch';
