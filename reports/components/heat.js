// The colours of heatmaps. Draws nothing.

// Cells carry text, so no colour is stronger than text is readable on, in the dark as in the light.
const STRONGEST = 45;

/** One of the page's colours (`accent`, `good`, `warn`) at a share of the strongest shade; `share` is between 0 and 1. */
export const tint = (colour, share) => `color-mix(in srgb, var(--${colour}) ${Math.round(STRONGEST * Math.min(share, 1))}%, var(--card))`;

/** A diverging colour for attainment: one below the target and another above it; the scale ends at half and at 1.5 times. */
export const attained = (attainment) => {
	if (attainment === null || attainment === undefined) return 'transparent';
	return tint(attainment < 1 ? 'warn' : 'good', Math.abs(2 * (attainment - 1)));
};

/** A colour for an amount, darker for more. */
export const amount = (value, most) => (value ? tint('accent', value / Math.max(most, 1e-9)) : 'transparent');
