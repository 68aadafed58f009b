// Pages query the engine themselves (answers.js), so nothing is loaded before a page is drawn. The data that the
// compiler's page template expects is empty.
export const ssr = false;
export const prerender = false;
export const trailingSlash = 'always';

export const load = () => ({
	__db: { query: () => [] },
	inputs: {},
	data: {},
	customFormattingSettings: { customFormats: [] }
});
