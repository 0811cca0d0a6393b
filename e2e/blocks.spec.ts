import { readFileSync } from 'node:fs'
import type { Page } from '@playwright/test'
import { decodeBlock, encodeBlock } from '../src/formats/codec'
import { codeBits } from '../src/formats/codec-grid'
import { parseFormat } from '../src/formats/format-text'
import { makeQuantizer, STANDARD_MX } from '../src/formats/quantizer'
import { expect, repoFile, test } from './support'

const FILE = 'public/layers/wt2llama-outliers-L2-q_proj.safetensors'
const WEIGHT = 'model.layers.2.self_attn.q_proj.weight'
const INPUT = 'model.layers.2.self_attn.q_proj.input'
const BLOCK = 32

/** A tensor of F32 elements, read from the file as its format says. */
function readTensor(name: string): {
  rows: number
  cols: number
  row: (at: number) => Float32Array
  all: Float32Array
} {
  const bytes = readFileSync(repoFile(FILE))
  const headerLength = Number(bytes.readBigUInt64LE(0))
  const header = JSON.parse(bytes.subarray(8, 8 + headerLength).toString('utf8'))
  const { shape, data_offsets: offsets, dtype } = header[name]
  if (dtype !== 'F32') throw new Error(`${name} is ${dtype}`)
  const [rows, cols] = shape
  const data = Uint8Array.from(bytes.subarray(8 + headerLength + offsets[0], 8 + headerLength + offsets[1]))
  const all = new Float32Array(data.buffer)
  return { rows, cols, all, row: (at) => all.subarray(at * cols, (at + 1) * cols) }
}

const largest = (values: Float32Array) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)

/** The columns of the element table, as text; a number of which the table shows the first digits, in full. */
async function elements(page: Page): Promise<string[][]> {
  const rows = page.getByTestId('block-table').locator('tbody tr')
  return rows.evaluateAll((all) =>
    all.map((row) =>
      [...row.querySelectorAll('td')].map((cell) => cell.title.split(' = ').at(-1) || (cell.textContent ?? '')),
    ),
  )
}

const read = (text: string) => Number(text.replace('−', '-').replaceAll(',', '').split(' ')[0])

async function openBlocks(page: Page, more = '') {
  await page.goto(`/#view=blocks&m=rtn&pre=0${more}`)
  await expect(page.locator('[data-test="blocks-map"] [data-drawing="drawn"]')).toBeVisible()
  await expect(page.getByTestId('block-table')).toBeVisible()
}

test('a click on the map opens a block whose codes are those of the file', async ({ page }) => {
  const weight = readTensor(WEIGHT)
  await openBlocks(page)
  const area = await page.locator('[data-test="blocks-map"] .nsewdrag').first().boundingBox()
  if (!area) throw new Error('the map has no area')
  const blocks = weight.cols / BLOCK
  // 192 rows share 128 cells. The middle of one is hit; a row is less than two pixels.
  const [cell, block] = [67, 3]
  const first = Math.floor((cell * weight.rows) / 128)
  const last = Math.floor(((cell + 1) * weight.rows) / 128) - 1
  await page.mouse.click(
    area.x + ((block + 0.5) / blocks) * area.width,
    area.y + ((first + last + 1) / 2 / weight.rows) * area.height,
  )
  await expect(page.locator('#block-heading')).toContainText(`Block ${block} · output row`)
  const shown = Number(/output row (\d+)/.exec(await page.locator('#block-heading').innerText())?.[1])
  // The block shown is the largest of the cell.
  const maximum = (row: number) => largest(weight.row(row).subarray(block * BLOCK, (block + 1) * BLOCK))
  const rows = Array.from({ length: last - first + 1 }, (_, i) => first + i)
  expect(shown).toBe(rows.reduce((best, row) => (maximum(row) > maximum(best) ? row : best), first))

  const values = weight.row(shown).subarray(block * BLOCK, (block + 1) * BLOCK)
  const table = await elements(page)
  expect(table.map(([value]) => Math.fround(read(value)))).toEqual(Array.from(values))
  for (const [side, text] of ['mxfp4', 'nvfp4'].entries()) {
    const quantizer = makeQuantizer(parseFormat(text), STANDARD_MX)
    const size = text === 'mxfp4' ? 32 : 16
    const pieces = Array.from({ length: BLOCK / size }, (_, i) =>
      encodeBlock(values.subarray(i * size, (i + 1) * size), quantizer, { tensorMax: largest(weight.all) }),
    )
    const codes = pieces.flatMap((piece) => Array.from(piece.codes, (code) => codeBits(code, quantizer)))
    const decoded = pieces.flatMap((piece) => Array.from(decodeBlock(piece, quantizer), (value) => value + 0))
    expect(table.map((row) => row[1 + 4 * side])).toEqual(codes)
    expect(table.map((row) => Math.fround(read(row[3 + 4 * side])) + 0)).toEqual(decoded)
  }
})

test('a link opens a block of the activations, held-out tokens included; the slider changes its values', async ({
  page,
}) => {
  const input = readTensor(INPUT)
  await openBlocks(page, '&pin=x,400,2')
  await expect(page.locator('#block-heading')).toHaveText('Block 2 · token 400 · channels 64–95')
  const before = await elements(page)
  expect(before.map(([value]) => Math.fround(read(value)))).toEqual(Array.from(input.row(400).subarray(64, 96)))
  const slider = page.getByTestId('block-pre-scale-slider').getByRole('slider')
  await slider.focus()
  await slider.press('Home')
  await expect(page.getByTestId('block-pre-scale')).toHaveValue('0.5')
  const after = await elements(page)
  expect(after.map((row) => row[3])).not.toEqual(before.map((row) => row[3]))
  expect(after.map((row) => row[7])).toEqual(before.map((row) => row[7]))
  await page.getByTestId('blocks-map').focus()
  await page.keyboard.press('ArrowRight')
  await expect(page.locator('#block-heading')).toHaveText('Block 3 · token 400 · channels 96–127')
  await expect.poll(() => new URL(page.url()).hash).toContain('pin=x,400,3&bp=0.5')

  // The table fits beside the map, and lies below it where there is no room.
  const scroll = page.getByTestId('block-table').locator('section')
  expect(await scroll.evaluate((element) => element.scrollWidth - element.clientWidth)).toBeLessThanOrEqual(0)
  const [left, right] = await Promise.all(
    ['blocks-map', 'blocks-panel'].map((id) => page.getByTestId(id).boundingBox()),
  )
  expect(right?.y ?? 0).toBeLessThan((left?.y ?? 0) + (left?.height ?? 0))
  await page.setViewportSize({ width: 900, height: 800 })
  const [map, panel] = await Promise.all(['blocks-map', 'blocks-panel'].map((id) => page.getByTestId(id).boundingBox()))
  if (!map || !panel) throw new Error('no boxes')
  expect(panel.y).toBeGreaterThanOrEqual(map.y + map.height)
})
