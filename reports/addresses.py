"""Makes the shell's page work below any address: behind a proxy the report may be at `/plants/north/` of a host.

The page finds its own base address, so one shell works everywhere. Knows nothing about what pages show.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path

from ingestion.errors import ReportError

_PRELOAD = re.compile(r'[ \t]*<link rel="modulepreload" href="/(_app/[^"]+)">\n')
_ICON = re.compile(r'[ \t]*<link rel="icon" href="/icon\.svg"[^>]*>\n')
_START = re.compile(
    r'<script>\s*\{\s*(__sveltekit_\w+) = \{\s*base: ""\s*\};.*?'
    r'import\("/(_app/[^"]+/start\.[^"]+)"\),\s*import\("/(_app/[^"]+/app\.[^"]+)"\).*?</script>',
    re.DOTALL,
)

# The report's base is the shortest prefix of the address whose rest is the address of a page. If no prefix fits, the
# base is the one below which the shell's own files answer.
_FINDING = """<script>
			// find the report's base path on its host
			{
				const pages = new RegExp(PAGES);
				const parts = location.pathname.split('/').filter(Boolean);
				const before = (count) => parts.slice(0, count).map((part) => '/' + part).join('');
				const counts = parts.map((_, count) => count).concat(parts.length);
				const likely = counts.find((count) => pages.test(parts.slice(count).join('/')));
				globalThis.floorhousePlaces = [...new Set([likely, ...counts.reverse()])].map(before);
				const link = (rel, name) => {
					const element = document.createElement('link');
					element.rel = rel;
					element.href = globalThis.floorhousePlaces[0] + '/' + name;
					document.head.append(element);
				};
				link('icon', 'icon.svg');
				if (likely < parts.length || !parts.length) PRELOADED.forEach((name) => link('modulepreload', name));
			}
		</script>
"""
_STARTING = """<script>
				{
					const element = document.currentScript.parentElement;
					const start = async ([place, ...others]) => {
						GLOBAL = { base: place };
						try {
							const [kit, app] = await Promise.all([import(place + '/START'), import(place + '/APP')]);
							kit.start(app, element);
						} catch (error) {
							if (!others.length) throw error;
							start(others);
						}
					};
					start(globalThis.floorhousePlaces);
				}
			</script>"""


def free_of_place(html: str, pages: Iterable[str]) -> str:
    """The compiled page `html` without addresses that begin at the host's root.

    `pages` are the pages' addresses, such as `workers/[site]/[worker]`. Raises ReportError if `html` is not the output
    of the locked compiler version.
    """
    preloaded, start = _PRELOAD.findall(html), _START.search(html)
    if not preloaded or start is None:
        raise ReportError("The built index.html is not the one that reports/addresses.py knows.")
    name, start_part, app_part = start.groups()
    finding = _FINDING.replace("PAGES", json.dumps(_pattern(pages))).replace("PRELOADED", json.dumps(preloaded))
    starting = _STARTING.replace("START", start_part).replace("APP", app_part).replace("GLOBAL", f"globalThis.{name}")
    html = html.replace(start.group(), starting)
    first = html.index("<link")
    html = html[:first] + finding + "\t\t" + html[first:]
    return _ICON.sub("", _PRELOAD.sub("", html))


def page_addresses(pages: Path) -> list[str]:
    """The addresses of the pages in a folder, sorted; `a/index.md` and `a.md` both answer at `a`."""
    files = (file.relative_to(pages).with_suffix("") for file in pages.rglob("*.md"))
    return sorted("/".join(part for part in file.parts if part != "index") for file in files)


def _pattern(pages: Iterable[str]) -> str:
    """A regular expression for a page's address without outer slashes."""
    choices = (
        "/".join("[^/]+" if part.startswith("[") else re.escape(part) for part in page.split("/")) for page in pages
    )
    return f"^(?:{'|'.join(sorted(choices))})$"
