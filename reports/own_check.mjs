// Compiles a plant's own pages one by one, as the whole build would, and writes what is wrong with each as JSON to standard
// output: {name: first line of the error}. Arguments: the files. Runs in the template's folder.
import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { compile, preprocess } from 'svelte/compiler';

console.log = console.warn = () => {};
const { default: config } = await import(`file://${process.cwd()}/svelte.config.js`);
const wrong = {};
for (const file of process.argv.slice(2)) {
	try {
		const { code } = await preprocess(await readFile(file, 'utf8'), config.preprocess, { filename: file });
		for (const warning of compile(code, { filename: file }).warnings) config.onwarn(warning);
	} catch (error) {
		wrong[basename(dirname(file))] = String(error.message).split('\n')[0];
	}
}
process.stdout.write(JSON.stringify(wrong));
