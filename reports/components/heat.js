// The colours of heatmaps. Draws nothing.

/** A diverging colour for attainment: one below the target and another above it; the scale ends at half and at 1.5 times. */
export const attained = (attainment) => {
	if (attainment === null || attainment === undefined) return 'transparent';
	const off = Math.max(Math.min(2 * (attainment - 1), 1), -1);
	return `color-mix(in srgb, var(--${off < 0 ? 'warn' : 'good'}) ${Math.round(45 * Math.abs(off))}%, var(--card))`;
};

/** A colour for an amount, darker for more. */
export const amount = (value, most) => (value ? `color-mix(in srgb, var(--accent) ${Math.round((45 * value) / Math.max(most, 1e-9))}%, var(--card))` : 'transparent');
