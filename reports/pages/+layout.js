// The pages ask the engine themselves (answers.js), so nothing is loaded before a page is drawn. What the compiler's own
// page template expects to be given is empty.
export const ssr = false;
export const prerender = false;
export const trailingSlash = 'always';

export const load = () => ({
	__db: { query: () => [] },
	inputs: {},
	data: {},
	customFormattingSettings: { customFormats: [] }
});
