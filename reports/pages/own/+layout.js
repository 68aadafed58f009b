// What the compiler's own pages expect of their data layer: queries go to the published marts (own.js).
import { query } from '$lib/own.js';

export const load = () => ({ __db: { query }, inputs: {}, data: {}, evidencemeta: { queries: [] }, customFormattingSettings: { customFormats: [] } });
