// One page shell for every address: pages of single workers and stations depend on the data, so they cannot be built
// beforehand. The server answers any page address with index.html and the browser does the rest.
import adapter from '@sveltejs/adapter-static';

export default {
	kit: {
		adapter: adapter({ pages: './build', fallback: 'index.html', strict: false }),
		// relative imports, so that the report may be anywhere below its host (addresses.py)
		paths: { base: '', relative: true }
	}
};
