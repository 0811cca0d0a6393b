/** The one-page report: HTML that stands alone, without script, with its figures inside. */
import { escaped } from './markup'

export interface ReportTable {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

export interface ReportFigure {
  readonly title: string
  readonly caption: string
  /** A whole `<svg>` that refers to nothing outside itself. */
  readonly svg: string
}

export interface ReportMethod {
  readonly name: string
  readonly summary: string
  /** Where it is written down. */
  readonly source: string
  /** Every option with its value. */
  readonly options: string
  readonly notes: readonly string[]
}

export interface Report {
  readonly title: string
  /** The finding in one sentence. */
  readonly answer: string
  /** What the numbers depend on, a line each. */
  readonly conditions: readonly string[]
  readonly results: ReportTable
  /** The paper's takeaways that were measured on this layer; null: none was. */
  readonly findings: ReportTable | null
  readonly figures: readonly ReportFigure[]
  readonly methods: readonly ReportMethod[]
  /** Program, adapter, files, seed: name and value. */
  readonly provenance: readonly (readonly [name: string, value: string])[]
  /** Restores the comparison in the page. */
  readonly link: string
}

const STYLE = `
:root { color-scheme: light; }
body { margin: 0 auto; max-width: 1100px; padding: 24px; background: #fff; color: #1a1b1e;
  font: 14px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 20px; margin: 0 0 4px; } h2 { font-size: 15px; margin: 20px 0 6px; }
p { margin: 4px 0; } .answer { font-size: 15px; } .small { color: #495057; font-size: 12px; }
table { border-collapse: collapse; font-size: 12px; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; }
th, td { padding: 3px 8px; border-bottom: 1px solid #dee2e6; text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
.prose th, .prose td { text-align: left; white-space: normal; vertical-align: top; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 12px; margin: 4px 0; font-size: 12px; }
dt { color: #495057; } dd { margin: 0; overflow-wrap: anywhere; }
figure { margin: 0; break-inside: avoid; } figcaption { color: #495057; font-size: 11px; }
.figures { display: flex; flex-wrap: wrap; gap: 16px; }
.figures figure { flex: 1 1 300px; min-width: 0; } figure svg { display: block; width: 100%; height: auto; }
a { color: #1864ab; overflow-wrap: anywhere; } ul { margin: 2px 0; padding-left: 18px; }
@page { size: A4; margin: 12mm; }
@media print { body { max-width: none; padding: 0; font-size: 10pt; } table, dl, figcaption { font-size: 8pt; }
  th, td { padding: 1px 4px; white-space: normal; } h2 { break-after: avoid; } .figures figure { flex-basis: 45%; } }
`

function table({ columns, rows }: ReportTable, kind = 'numbers'): string {
  const head = columns.map((column) => `<th scope="col">${escaped(column)}</th>`).join('')
  const body = rows.map(
    ([first, ...cells]) =>
      `<tr><th scope="row">${escaped(first)}</th>${cells.map((cell) => `<td>${escaped(cell)}</td>`).join('')}</tr>`,
  )
  return `<div class="wide"><table class="${kind}"><thead><tr>${head}</tr></thead><tbody>${body.join('\n')}</tbody></table></div>`
}

const figure = ({ title, caption, svg }: ReportFigure) =>
  `<figure><strong>${escaped(title)}</strong>${svg.slice(svg.indexOf('<svg'))}<figcaption>${escaped(caption)}</figcaption></figure>`

function methodNotes({ name, summary, source, options, notes }: ReportMethod): string {
  const said = notes.length > 0 ? `<ul>${notes.map((note) => `<li>${escaped(note)}</li>`).join('')}</ul>` : ''
  const about = [summary, options && `Options: ${options}.`, `Source: ${source}.`].filter(Boolean).join(' ')
  return `<dt>${escaped(name)}</dt><dd>${escaped(about)}${said}</dd>`
}

/** The report as text of an HTML file. */
export function reportHtml(report: Report): string {
  const { title, answer, conditions, results, findings, figures, methods, provenance, link } = report
  const drawn = figures.length > 0 ? `<h2>Figures</h2><div class="figures">${figures.map(figure).join('\n')}</div>` : ''
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escaped(title)}</h1>
<p class="answer">${escaped(answer)}</p>
${conditions.map((line) => `<p class="small">${escaped(line)}</p>`).join('\n')}
<h2>Results</h2>
${table(results)}
${drawn}
${findings === null ? '' : `<h2>Findings of arXiv 2601.09555</h2>\n${table(findings, 'prose')}`}
<h2>Methods</h2>
<dl>${methods.map(methodNotes).join('\n')}</dl>
<h2>Where this comes from</h2>
<dl>${provenance.map(([name, value]) => `<dt>${escaped(name)}</dt><dd>${escaped(value)}</dd>`).join('\n')}</dl>
<p>Restore this comparison: <a href="${escaped(link)}" rel="noreferrer">${escaped(link)}</a></p>
<p class="small">Errors are those of one layer, not the accuracy of a model.</p>
</body>
</html>
`
}
