// One page shell for every address: pages of single workers and stations exist only once data arrives, so none of them can
// be written to disk beforehand. The server answers any page address with index.html and the browser does the rest.
import adapter from '@sveltejs/adapter-static';

export default {
	kit: {
		adapter: adapter({ pages: './build', fallback: 'index.html', strict: false }),
		// parts ask for each other by where they lie themselves, so the report may lie anywhere below its host (addresses.py)
		paths: { base: '', relative: true }
	}
};
