"""A document as a page for notebooks: one element that needs nothing from elsewhere.

Whatever came from a user is escaped, here and nowhere else: names, types, parameters, code, paths. Blocks
fold without the script; with it there are a search box, and the mouse shows where a variable is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from fn.inspect._document import Block, Document, Pair, Row, Span, Table

# Colours are between light and dark, so that they can be read on either; the rest follows the text.
_STYLE = """
.fn-view{font:12.5px/1.55 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;color:inherit;
text-align:left;margin:.3em 0;position:relative;--rule:rgba(128,128,128,.28);--soft:rgba(128,128,128,.1)}
.fn-view *{box-sizing:border-box}
.fn-view .top{display:flex;flex-wrap:wrap;gap:.4em 1.5em;align-items:center;padding:0 0 .35em;min-height:2em}
.fn-view .top>span{flex:1 1 auto;white-space:pre-wrap}
.fn-view input{font:inherit;color:inherit;background:var(--soft);border:1px solid var(--rule);border-radius:5px;
padding:.1em .6em;width:17em;max-width:100%;outline-offset:1px}
.fn-view .found{opacity:.62;min-width:6em;text-align:right}
.fn-view details{border-top:1px solid var(--rule);padding:.3em 0}
.fn-view summary{cursor:pointer;white-space:pre-wrap;padding:.05em 0;overflow-wrap:anywhere}
.fn-view .rows{display:grid;grid-template-columns:fit-content(70%) minmax(0,1fr);column-gap:2.2em;
overflow-x:auto;padding:.2em 0 .5em}
.fn-view .rows>div,.fn-view .pairs>div{display:grid;grid-column:1/-1;grid-template-columns:subgrid;border-radius:3px}
.fn-view .rows>div:hover,.fn-view .pairs>div:hover{background:var(--soft)}
.fn-view .rows span.c{white-space:pre;overflow:hidden;text-overflow:ellipsis;min-width:0}
.fn-view .rows span.c:only-child{grid-column:1/-1}
.fn-view .rows span.c:first-child{min-width:min(34em,60vw)}
.fn-view .pairs{display:grid;grid-template-columns:minmax(0,1fr) 1.6em minmax(0,1fr);padding:.2em 0 .5em}
.fn-view .pairs span.c{white-space:pre;overflow:hidden;text-overflow:ellipsis;padding:0 .3em}
.fn-view .pairs.wide{grid-template-columns:minmax(0,1fr) 1.6em minmax(0,1fr) fit-content(30em)}
.fn-view .pairs .b{white-space:pre;padding-left:1.2em;overflow:hidden;text-overflow:ellipsis}
.fn-view .pairs .m{text-align:center;opacity:.7}
.fn-view .pairs .minus>.c:first-child{background:rgba(207,75,63,.16)}
.fn-view .pairs .plus>.r{background:rgba(46,139,61,.17)}
.fn-view .pairs .tilde>.c{background:rgba(194,87,26,.15)}
.fn-view table{border-collapse:collapse;font:inherit;margin:.2em 0 .5em;border:0;table-layout:auto}
.fn-view th,.fn-view td,.fn-view tr{border:0;background:none!important;padding:.02em 1.1em .02em 0;text-align:right;
white-space:pre;font-weight:normal;max-width:60em;overflow:hidden;text-overflow:ellipsis;vertical-align:top}
.fn-view th{opacity:.62;border-bottom:1px solid var(--rule)}
.fn-view tr:hover td{background:var(--soft)!important}
.fn-view td.w,.fn-view th.w{text-align:left}
.fn-view .over{overflow-x:auto}
.fn-view .note{opacity:.62;white-space:pre-wrap}
.fn-view .dim,.fn-view .type,.fn-view .source,.fn-view .fold{opacity:.66}
.fn-view .fold{font-style:italic}.fn-view .rule{opacity:.45}.fn-view .code{opacity:.85}
.fn-view .op,.fn-view .strong{font-weight:600}
.fn-view .program,.fn-view .bar{color:#2f79c9}.fn-view .param{color:#8a63d2}.fn-view .literal{color:#b0488f}
.fn-view .origin,.fn-view .changed{color:#c2571a}.fn-view .added,.fn-view .good{color:#2e8b3d}
.fn-view .removed{color:#cf4b3f}.fn-view .bad{color:#cf4b3f;font-weight:600}
.fn-view a.program{cursor:pointer;text-decoration:none}.fn-view a.program:hover{text-decoration:underline}
.fn-view .name.lit{background:rgba(47,121,201,.3);border-radius:3px;box-shadow:0 0 0 2px rgba(47,121,201,.3)}
.fn-view .off{display:none!important}
.fn-view .tip{position:fixed;z-index:99;max-width:46em;background:#24272d;color:#eceef1;border-radius:6px;
padding:.5em .8em;white-space:pre-wrap;overflow-wrap:anywhere;pointer-events:none;box-shadow:0 3px 14px rgba(0,0,0,.35)}
"""

_SCRIPT = """
for (const view of document.querySelectorAll('.fn-view:not([data-live])')) {
  view.dataset.live = '1';
  const all = (where, what) => [...where.querySelectorAll(what)];
  const tip = document.createElement('div');
  tip.className = 'tip off';
  view.append(tip);
  const hide = () => { tip.classList.add('off'); for (const n of all(view, '.lit')) n.classList.remove('lit'); };
  view.addEventListener('mouseover', event => {
    hide();
    const row = event.target.closest('[title],[data-hover]');
    if (!row || !view.contains(row)) return;
    if (row.title) { row.dataset.hover = row.title; row.removeAttribute('title'); }
    let text = row.dataset.hover;
    const name = event.target.closest('.name');
    const block = name && name.closest('details');
    if (block) {
      for (const n of all(block, '.name')) if (n.textContent === name.textContent) n.classList.add('lit');
      const made = all(block, '[data-defines]').find(r => r.dataset.defines.split(' ').includes(name.textContent));
      if (made && made !== row) {
        const more = made.title || made.dataset.hover || '';
        text = made.children[0].textContent.trim() + (more ? '\\n\\n' + more : '');
      }
    }
    if (!text) return;
    tip.textContent = text;
    tip.classList.remove('off');
    const box = tip.getBoundingClientRect();
    tip.style.left = Math.max(8, Math.min(event.clientX + 14, innerWidth - box.width - 12)) + 'px';
    const below = event.clientY + 20;
    tip.style.top = (below + box.height > innerHeight ? event.clientY - box.height - 12 : below) + 'px';
  });
  view.addEventListener('mouseleave', hide);
  view.addEventListener('click', event => {
    const link = event.target.closest('a.program');
    const to = link && all(view, 'details').find(d => d.dataset.name === link.dataset.to);
    if (to) { event.preventDefault(); to.open = true; to.scrollIntoView({block: 'nearest', behavior: 'smooth'}); }
  });
  const box = view.querySelector('input');
  if (!box) continue;
  box.classList.remove('off');
  const found = view.querySelector('.found');
  const before = new Map(all(view, 'details').map(d => [d, d.open]));
  box.addEventListener('input', () => {
    const wanted = box.value.trim().toLowerCase();
    let count = 0;
    for (const [block, open] of before) {
      let any = false;
      for (const row of all(block, '.rows>div,.pairs>div,tbody tr')) {
        const text = row.textContent + ' ' + (row.title || row.dataset.hover || '');
        const hit = !wanted || text.toLowerCase().includes(wanted);
        row.classList.toggle('off', !hit);
        if (hit) any = true;
        if (hit && wanted) count++;
      }
      block.open = wanted ? any : open;
      block.classList.toggle('off', Boolean(wanted) && !any);
    }
    found.textContent = wanted ? count + (count === 1 ? ' row' : ' rows') : '';
  });
}
"""

_MARKS = {"=": ("", "same"), "~": ("~", "tilde"), "-": ("−", "minus"), "+": ("+", "plus")}
_SEARCHED_ROWS = 12


def page(document: Document) -> str:
    """The document as one HTML element."""
    rows = sum(len(b.rows) for b in document.blocks)
    search = ""
    if rows > _SEARCHED_ROWS:
        search = (
            '<span class="found" style="flex:0 0 auto"></span>'
            '<input class="off" type="search" placeholder="search" aria-label="search">'
        )
    parts = [
        f'<div class="fn-view"><style>{_STYLE}</style>',
        f'<div class="top"><span>{_spans(document.title)}</span>{search}</div>',
    ]
    for block in document.blocks:
        parts += _table(block) if isinstance(block, Table) else _block(block)
    parts.append(f"<script>{_SCRIPT}</script></div>")
    return "\n".join(parts)


def _block(block: Block) -> Iterable[str]:
    opened = " open" if block.open else ""
    title = f"<summary>{_spans(block.title)}</summary>" if block.title else ""
    around = "details" if title else "div"
    yield f'<{around}{opened if title else ""} data-name="{escape(block.name)}">{title}'
    wide = any(isinstance(row, Pair) and row.beside for row in block.rows)
    yield f'<div class="{("pairs wide" if wide else "pairs") if block.columns else "rows"}">'
    if block.columns is not None:
        left, right = (f'<span class="c dim">{escape(c)}</span>' for c in block.columns)
        yield f'<div>{left}<span class="m"></span>{right}</div>'
    for row in block.rows:
        yield _pair(row, wide) if isinstance(row, Pair) else _row(row)
    yield f"</div></{around}>"


def _row(row: Row) -> str:
    hover = f' title="{escape(row.hover)}"' if row.hover else ""
    defines = f' data-defines="{escape(row.defines)}"' if row.defines else ""
    beside = f'<span class="c">{_spans(row.right)}</span>' if row.right else ""
    return f'<div{hover}{defines}><span class="c">{_spans(row.left)}</span>{beside}</div>'


def _pair(pair: Pair, wide: bool) -> str:
    text, kind = _MARKS[pair.mark]
    hover = f' title="{escape(pair.hover)}"' if pair.hover else ""
    left, right = _spans(pair.left), _spans(pair.right)
    beside = f'<span class="b">{_spans(pair.beside)}</span>' if wide else ""
    return (
        f'<div class="{kind}"{hover}><span class="c">{left}</span><span class="m">{text}</span>'
        f'<span class="c r">{right}</span>{beside}</div>'
    )


def _table(table: Table) -> Iterable[str]:
    title = f"<summary>{_spans(table.title)}</summary>" if table.title else ""
    around = "details open" if title else "div"
    yield f'<{around}>{title}<div class="over"><table><thead><tr>'
    kinds = [' class="w"' if i in table.left else "" for i in range(len(table.head))]
    yield "".join(f"<th{k}>{escape(h)}</th>" for h, k in zip(table.head, kinds, strict=True))
    yield "</tr></thead><tbody>"
    for row in table.rows:
        cells = [f"<td{k}>{_spans(c)}</td>" for c, k in zip(row, kinds, strict=True)]
        yield f"<tr>{''.join(cells)}</tr>"
    yield "</tbody></table></div>"
    if table.note:
        yield f'<div class="note">{escape(table.note)}</div>'
    yield f"</{around.split()[0]}>"


def _spans(spans: Sequence[Span]) -> str:
    return "".join([_span(text, style) for text, style in spans])


def _span(text: str, style: str) -> str:
    shown = escape(text)
    if style == "program" and text.startswith("@"):
        return f'<a class="program" data-to="{shown[1:]}">{shown}</a>'
    return f'<span class="{style}">{shown}</span>' if style else shown
