/** The figures on the page as pictures: all of a view on one sheet, or each by itself. */
import type { Layout } from 'plotly.js'
import { flushSync } from 'react-dom'
import { inMillimetres, rowsOf, type SheetPanel, type SheetSvg, sheetSvg } from '../../figures/export/sheet'
import type { Theme } from '../../figures/theme'
import { enqueueDraw } from '../plot/draw-queue'
import { setFigureTheme } from '../plot/figure-theme'
import { type ShownFigure, shownFigures } from '../plot/shown-figures'

export type FigureSize = '1x' | '2x' | 'print'

/** Width of a figure that is printed across a page, in mm, and how finely it is drawn as an image. */
const PRINT_WIDTH = 170
const PRINT_DPI = 300
/** Width of a sheet's drawings in px, and the least of one of several side by side. */
const SHEET_WIDTH = 1100
const PRINTED_WIDTH = 620
const LEAST_WIDTH = 280
const GAP = 16
/** Height over width of a drawing: what it is on screen, within this. */
const FLATTEST = 0.42
const TALLEST = 0.8

/** What stands around the figures. */
export interface SheetText {
  readonly title: string
  readonly caption: readonly string[]
}

/** Runs `work` with every figure of the page built in `theme`; the screen does not change. */
async function inTheme<T>(theme: Theme, work: () => Promise<T>): Promise<T> {
  flushSync(() => setFigureTheme(theme))
  try {
    return await work()
  } finally {
    flushSync(() => setFigureTheme(null))
  }
}

/** One drawing after the other, in the page's own queue: two surfaces at once would take two WebGL contexts. */
function inQueue<T>(draw: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    enqueueDraw(() => draw().then(resolve, reject))
  })
}

async function drawSvg({ figure, load }: ShownFigure, width: number, height: number): Promise<string> {
  const plotly = await load()
  const layout: Partial<Layout> = structuredClone(figure.layout)
  const data = figure.data.map((trace) => ({ ...trace }))
  const url = await inQueue(() => plotly.toImage({ data, layout }, { format: 'svg', width, height }))
  return decodeURIComponent(url.slice(url.indexOf(',') + 1))
}

/** The figures of the view row by row; those without a title of their own take the view's. */
async function drawRows(size: FigureSize, viewLabel: string): Promise<readonly (readonly SheetPanel[])[]> {
  const figures = shownFigures()
  const boxes = figures.map(({ element }) => element.getBoundingClientRect())
  const order = rowsOf(boxes.map(({ left, top }) => ({ left, top })))
  const columns = Math.max(...order.map((row) => row.length), 1)
  const across = size === 'print' ? PRINTED_WIDTH : SHEET_WIDTH
  const width = Math.max(LEAST_WIDTH, Math.floor((across - GAP * (columns - 1)) / columns))
  const rows: SheetPanel[][] = []
  for (const row of order) {
    const panels: SheetPanel[] = []
    for (const at of row) {
      const shape = boxes[at].height / Math.max(boxes[at].width, 1)
      const height = Math.round(width * Math.min(Math.max(shape, FLATTEST), TALLEST))
      const svg = await drawSvg(figures[at], width, height)
      const { title, label } = figures[at]
      panels.push({ title: title ?? viewLabel, caption: label, svg, width, height })
    }
    rows.push(panels)
  }
  return rows
}

/** Every figure of the view, drawn by itself. */
export async function drawFigures(theme: Theme, viewLabel: string): Promise<readonly SheetPanel[]> {
  return inTheme(theme, async () => (await drawRows('1x', viewLabel)).flat())
}

/** All figures of the view on one sheet. */
export async function drawSheet(size: FigureSize, theme: Theme, text: SheetText): Promise<SheetSvg> {
  return inTheme(theme, async () => sheetSvg({ ...text, rows: await drawRows(size, text.title), theme }))
}

export function svgFile(sheet: SheetSvg, size: FigureSize): Blob {
  const text = size === 'print' ? inMillimetres(sheet, PRINT_WIDTH) : sheet.svg
  return new Blob([`<?xml version="1.0" encoding="UTF-8"?>\n${text}`], { type: 'image/svg+xml' })
}

/** Pixels of the image per px of the sheet. */
function scaleOf({ width }: SheetSvg, size: FigureSize): number {
  if (size !== 'print') return size === '2x' ? 2 : 1
  return ((PRINT_WIDTH / 25.4) * PRINT_DPI) / width
}

export async function pngFile(sheet: SheetSvg, size: FigureSize): Promise<Blob> {
  const scale = scaleOf(sheet, size)
  const [width, height] = [Math.round(sheet.width * scale), Math.round(sheet.height * scale)]
  const image = new Image()
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(sheet.svg)}`
  await image.decode()
  const canvas = document.createElement('canvas')
  canvas.width = width
  canvas.height = height
  canvas.getContext('2d')?.drawImage(image, 0, 0, width, height)
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => {
      const size = `${width} x ${height}`
      if (blob) resolve(blob)
      else reject(new Error(`The browser made no image of ${size} pixels.`))
    }, 'image/png')
  })
}

/** Data and layout of every figure of the view, as Plotly takes them. */
export async function plotlyFile(theme: Theme, text: SheetText): Promise<Blob> {
  const figures = await inTheme(theme, async () =>
    shownFigures().map(({ figure, title, label }) => ({
      title: title ?? text.title,
      caption: label,
      data: figure.data,
      layout: figure.layout,
    })),
  )
  const plain = (_key: string, value: unknown) =>
    ArrayBuffer.isView(value) && !(value instanceof DataView) ? Array.from(value as Float64Array) : value
  return new Blob([JSON.stringify({ ...text, figures }, plain)], { type: 'application/json' })
}
