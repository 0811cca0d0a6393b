/** Drawn figures put together as one SVG: titles, captions, and the conditions they were computed under. */
import { THEME_COLOURS, type Theme } from '../theme'
import { escaped, wrapped } from './markup'

/** One drawn figure. */
export interface SheetPanel {
  readonly title: string
  /** Its finding in words. */
  readonly caption: string
  /** A whole `<svg>` of `width` by `height` px, as Plotly writes it. */
  readonly svg: string
  readonly width: number
  readonly height: number
}

export interface Sheet {
  readonly title: string
  /** Panels as they stand on the page, row by row, all of one width. */
  readonly rows: readonly (readonly SheetPanel[])[]
  /** Layer, setting, seed: below all panels. */
  readonly caption: readonly string[]
  readonly theme: Theme
}

export interface SheetSvg {
  readonly svg: string
  readonly width: number
  readonly height: number
}

const MARGIN = 16
const GAP = 16
const TITLE = { size: 16, line: 26 }
const PANEL_TITLE = { size: 13, line: 20 }
const CAPTION = { size: 10.5, line: 14 }
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'
/** Mean width of a character of the fonts above, in units of their size; a little wide, so that lines rather stop early. */
const CHARACTER = 0.56

const linesFor = (text: string, width: number, size: number) => wrapped(text, Math.floor(width / (CHARACTER * size)))

interface TextStyle {
  readonly size: number
  readonly line: number
  readonly fill: string
  readonly weight?: number
}

/** Lines of text from `y` downwards. */
function textBlock(
  lines: readonly string[],
  x: number,
  y: number,
  { size, line, fill, weight = 400 }: TextStyle,
): string {
  return lines
    .map(
      (text, at) =>
        `<text x="${x}" y="${y + size + at * line}" font-size="${size}" font-weight="${weight}" fill="${fill}">${escaped(text)}</text>`,
    )
    .join('')
}

/** The inner drawing at a place of its own: the prologue goes, the outer element gets the position. */
function placed({ svg, width, height, title }: SheetPanel, x: number, y: number): string {
  const start = svg.indexOf('<svg')
  const open = svg.slice(start, svg.indexOf('>', start) + 1)
  const body = svg.slice(svg.indexOf('>', start) + 1, svg.lastIndexOf('</svg>'))
  const names = [...open.matchAll(/\sxmlns(?::\w+)?="[^"]*"/g)].map(([name]) => name).join('')
  return (
    `<svg x="${x}" y="${y}" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"${names} role="img">` +
    `<title>${escaped(title)}</title>${body}</svg>`
  )
}

/** The sheet as one SVG that refers to nothing outside itself. Rows are as tall as their tallest panel. */
export function sheetSvg({ title, rows, caption, theme }: Sheet): SheetSvg {
  const colours = THEME_COLOURS[theme]
  const inner = Math.max(
    ...rows.map((row) => row.reduce((sum, { width }) => sum + width, 0) + GAP * Math.max(row.length - 1, 0)),
    1,
  )
  const width = inner + 2 * MARGIN
  const parts: string[] = []
  let y = MARGIN
  const write = (text: string, style: TextStyle) => {
    const lines = linesFor(text, inner, style.size)
    parts.push(textBlock(lines, MARGIN, y, style))
    y += lines.length * style.line
  }
  write(title, { ...TITLE, fill: colours.ink, weight: 600 })
  for (const row of rows) {
    let x = MARGIN
    let tallest = 0
    for (const panel of row) {
      const lines = linesFor(panel.caption, panel.width, CAPTION.size)
      parts.push(textBlock([panel.title], x, y, { ...PANEL_TITLE, fill: colours.ink, weight: 600 }))
      parts.push(placed(panel, x, y + PANEL_TITLE.line))
      const below = y + PANEL_TITLE.line + panel.height + 2
      parts.push(textBlock(lines, x, below, { ...CAPTION, fill: colours.mutedInk }))
      tallest = Math.max(tallest, PANEL_TITLE.line + panel.height + 2 + lines.length * CAPTION.line)
      x += panel.width + GAP
    }
    y += tallest + GAP
  }
  for (const text of caption) write(text, { ...CAPTION, fill: colours.mutedInk })
  const height = Math.ceil(y + MARGIN)
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" ` +
    `font-family="${escaped(FONT)}"><title>${escaped(title)}</title>` +
    `<rect width="${width}" height="${height}" fill="${colours.background}"/>${parts.join('')}</svg>`
  return { svg, width, height }
}

/** The same drawing with its outer size in millimetres, for a page that is printed. */
export function inMillimetres({ svg, width, height }: SheetSvg, millimetres: number): string {
  const tall = Math.round((100 * millimetres * height) / width) / 100
  return svg.replace(`width="${width}" height="${height}"`, `width="${millimetres}mm" height="${tall}mm"`)
}

/** Where a figure stands on the page, in px. */
export interface Place {
  readonly left: number
  readonly top: number
}

/** Indices of figures row by row, from left to right: those whose tops are within half a line of each other share a row. */
export function rowsOf(places: readonly Place[]): readonly (readonly number[])[] {
  const order = places.map((_, at) => at).sort((a, b) => places[a].top - places[b].top)
  const rows: number[][] = []
  for (const at of order) {
    const row = rows.at(-1)
    if (row && Math.abs(places[row[0]].top - places[at].top) < 8) row.push(at)
    else rows.push([at])
  }
  return rows.map((row) => row.sort((a, b) => places[a].left - places[b].left))
}
