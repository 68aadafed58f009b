// Whether the page is being printed, when collapsed parts are shown open.
import { readable } from 'svelte/store';
import { browser } from '$app/environment';

export const isPaper = readable(false, (set) => {
	if (!browser) return;
	const print = matchMedia('print');
	const follow = () => set(print.matches);
	const begin = () => set(true);
	follow();
	print.addEventListener('change', follow);
	addEventListener('beforeprint', begin);
	addEventListener('afterprint', follow);
	return () => {
		print.removeEventListener('change', follow);
		removeEventListener('beforeprint', begin);
		removeEventListener('afterprint', follow);
	};
});
