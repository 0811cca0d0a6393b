import { readFileSync } from 'node:fs'
import type { Page } from '@playwright/test'
import { expect, METHODS, repoFile, seriousViolations, test } from './support'

const FILE = 'public/layers/wt2llama-outliers-L2-q_proj.safetensors'
const WEIGHT = 'model.layers.2.self_attn.q_proj.weight'
const INPUT = 'model.layers.2.self_attn.q_proj.input'
const ROWS = ['loaded', ...METHODS]

/** An F32 tensor of the built-in layer, read from the file as its format says. */
function readTensor(name: string): { rows: number; cols: number; data: Float32Array } {
  const bytes = readFileSync(repoFile(FILE))
  const length = Number(bytes.readBigUInt64LE(0))
  const { shape, data_offsets: offsets } = JSON.parse(bytes.subarray(8, 8 + length).toString('utf8'))[name]
  const data = Uint8Array.from(bytes.subarray(8 + length + offsets[0], 8 + length + offsets[1]))
  return { rows: shape[0], cols: shape[1], data: new Float32Array(data.buffer) }
}

function kurtosisOf(data: Float32Array): number {
  const mean = data.reduce((sum, x) => sum + x, 0) / data.length
  const moment = (power: number) => data.reduce((sum, x) => sum + (x - mean) ** power, 0) / data.length
  return moment(4) / moment(2) ** 2
}

async function waitForRows(page: Page, rows: readonly string[] = ROWS) {
  for (const row of rows) {
    await expect(page.getByTestId(`figure5-${row}`)).toHaveAttribute('data-state', 'drawn', { timeout: 90_000 })
    await expect(page.locator(`[data-test="figure5-${row}"] figure[data-drawing="drawn"]`)).toHaveCount(3)
  }
}

test('the kurtosis of X is that of the file, and a click pins a channel in every row and in the link', async ({
  page,
}) => {
  await page.goto('/#view=figure5&m=rtn,quarot,flatquant(steps=10)')
  await waitForRows(page)
  const { rows, cols, data } = readTensor(INPUT)
  const heldOut = data.subarray((rows / 2) * cols)
  await expect(page.getByTestId('figure5-kurtosis-loaded')).toHaveText(kurtosisOf(heldOut).toFixed(0))

  const plot = page.locator('[data-test="figure5-loaded"] [data-figure="channels"] .nsewdrag')
  const box = await plot.boundingBox()
  if (!box) throw new Error('the figure has no area')
  const channel = 37
  const at = { x: box.x + ((channel + 0.5) / cols) * box.width, y: box.y + box.height / 2 }
  await page.mouse.move(at.x, at.y)
  for (const row of ROWS)
    await expect(page.getByTestId(`figure5-channel-${row}`)).toContainText(`channel ${channel}: max`)
  await page.mouse.down()
  await page.mouse.up()
  await page.mouse.move(5, 5)
  const largest = heldOut.reduce((most, x, i) => (i % cols === channel ? Math.max(most, Math.abs(x)) : most), 0)
  await expect(page.getByTestId('figure5-channel-loaded')).toContainText(`max ${largest.toPrecision(3)}`)
  for (const row of ROWS) {
    await expect(page.getByTestId(`figure5-channel-${row}`)).toContainText(`channel ${channel}: max`)
    await expect(page.locator(`[data-test="figure5-${row}"] [data-mark="pinned"]`)).toHaveCount(2)
  }
  // The line stands where Plotly has the channel.
  const line = await page.locator('[data-test="figure5-loaded"] [data-figure="map"] [data-mark="pinned"]').boundingBox()
  const map = await page.locator('[data-test="figure5-loaded"] [data-figure="map"] .nsewdrag').boundingBox()
  if (!line || !map) throw new Error('no mark')
  expect(Math.abs(line.x - (map.x + ((channel + 0.5) / cols) * map.width))).toBeLessThan(3)
  await expect.poll(() => new URL(page.url()).hash).toMatch(new RegExp(`pin=(\\S+\\+)?c${channel}\\b`))
})

test('weights are computed on request, and another tensor is shown as it is', async ({ page }) => {
  await page.goto('/#view=figure5&f5=w&m=rtn,quarot')
  await waitForRows(page, ['loaded', 'rtn', 'quarot'])
  const { data } = readTensor(WEIGHT)
  await expect(page.getByTestId('figure5-kurtosis-loaded')).toHaveText(kurtosisOf(data).toFixed(1))
  await expect(page.getByTestId('figure5-kurtosis-rtn')).toHaveText(kurtosisOf(data).toFixed(1))
  expect(await seriousViolations(page)).toEqual([])
  await page.getByTestId('figure5-subject').selectOption('tensor')
  await page.getByTestId('figure5-tensor').fill('model.layers.2.self_attn.k_proj.weight')
  await expect(page.getByTestId('figure5-alone')).toContainText('by its name it is a parameter')
  await expect(page.getByTestId('figure5-loaded')).toHaveAttribute('data-state', 'drawn')
  await page.getByTestId('figure5-tensor').fill(INPUT)
  await waitForRows(page, ['loaded', 'rtn', 'quarot'])
  await expect(page.getByTestId('figure5-kurtosis-rtn')).toHaveText(kurtosisOf(readTensor(INPUT).data).toFixed(0))
})
