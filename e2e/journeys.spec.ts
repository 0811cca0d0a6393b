import { readFileSync } from 'node:fs'
import type { Page } from '@playwright/test'
import { type Hands, keyboard, mouse } from './hands'
import { exportedLayerOf } from './read-export'
import { expect, shownError, test, waitForResults } from './support'

const OWN_FILE = 'public/layers/wt2llama-L2-q_proj.safetensors'
const K_PROJ = 'model.layers.2.self_attn.k_proj'
const METHODS = ['rtn', 'quarot']

const ready = (page: Page) => expect(page.locator('body')).toHaveAttribute('data-state', 'ready', { timeout: 60_000 })
const drawn = (page: Page, hook: string) =>
  expect(page.locator(`[data-test="${hook}"] [data-drawing="drawn"]`).first()).toBeVisible()

/** Cold: the figures, what they say in one line, and the views that explain it. */
async function openCold(page: Page, { press }: Hands): Promise<void> {
  await waitForResults(page, METHODS)
  for (const method of METHODS) await drawn(page, `tile-${method}`)
  await expect(page.getByTestId('answer')).toContainText(/W4A4: .*RTN [\d.]+ dB/)
  await expect(page.getByTestId('announcement')).toContainText('RTN')
  await press('view-blocks')
  await drawn(page, 'blocks-map')
  await press('view-distribution')
  await drawn(page, 'tile-rtn')
}

/** A file of one's own: its tensors are listed, and one of them is compared. */
async function openOwn(page: Page, { open }: Hands): Promise<void> {
  const before = await shownError(page, 'rtn')
  await open(OWN_FILE)
  await expect(page.getByTestId('open-files')).toContainText('wt2llama-L2-q_proj')
  await expect(page.getByTestId('tensor-row')).toHaveCount(4)
  await expect(page.getByTestId('answer')).toContainText('wt2llama-L2-q_proj')
  await waitForResults(page, METHODS)
  expect(await shownError(page, 'rtn')).not.toBe(before)
}

/** Another weight of the file, and activations that are made for it. */
async function chooseLayer(page: Page, { press }: Hands): Promise<void> {
  await press(`[data-tensor="${K_PROJ}.weight"]`)
  await expect(page.getByTestId('layer-title')).toContainText(K_PROJ)
  await waitForResults(page, METHODS)
  const captured = await shownError(page, 'rtn')
  await press('rail-activations')
  await press('source-synthetic')
  await expect(page.getByTestId('conditions')).toContainText('synthetic')
  await waitForResults(page, METHODS)
  expect(await shownError(page, 'rtn')).not.toBe(captured)
  await press('source-file')
  await waitForResults(page, METHODS)
  expect(await shownError(page, 'rtn')).toBe(captured)
}

/** Another setting, a method more, one tile for itself, and a method marked in every figure and in the link. */
async function compare(page: Page, { press }: Hands): Promise<void> {
  const four = Number(await shownError(page, 'rtn'))
  await press('setting-w8a8')
  await expect(page).toHaveURL(/set=w8a8/)
  await waitForResults(page, METHODS)
  expect(Number(await shownError(page, 'rtn'))).toBeLessThan(four)
  await press('method-add')
  await press('grid-smoothquant')
  await page.keyboard.press('Escape')
  await waitForResults(page, [...METHODS, 'smoothquant'])
  await press('size-quarot')
  await expect(page.getByTestId('tile-rtn')).toHaveCount(0)
  await page.keyboard.press('Escape')
  await expect(page.getByTestId('tile-rtn')).toBeVisible()
  await press('row-quarot')
  await expect(page).toHaveURL(/pin=mquarot/)
  await press('sort-sqnr')
  await expect(page.locator('th[aria-sort]')).toContainText('SQNR')
}

/** The packed layer, which reads back with the shape of the weight and few values. */
async function exportPacked(page: Page, { press, choose }: Hands): Promise<void> {
  await press('export')
  await expect(page.getByTestId('export-dialog')).toBeVisible()
  await choose('export-method', 'RTN')
  await press('export-prepare')
  await expect(page.getByTestId('export-layer')).toBeVisible({ timeout: 60_000 })
  const [download] = await Promise.all([page.waitForEvent('download'), press('export-layer')])
  expect(download.suggestedFilename()).toContain(`${K_PROJ}-W8A8-rtn`)
  const packed = await exportedLayerOf(readFileSync(await download.path()))
  expect(packed.shape).toEqual([64, 192])
  expect(packed.values.some((value) => value !== 0)).toBe(true)
  await page.keyboard.press('Escape')
  await expect(page.getByTestId('export-dialog')).toHaveCount(0)
  await expect(page.getByTestId('export')).toBeFocused()
}

for (const [name, handsOf, theme] of [
  ['mouse', mouse, 'light'],
  ['keyboard', keyboard, 'dark'],
] as const) {
  test(`from a cold page to an exported layer of one's own, by ${name}, in ${theme}`, async ({ page }) => {
    await page.addInitScript(() => {
      for (const picker of ['showOpenFilePicker', 'showSaveFilePicker']) Reflect.deleteProperty(window, picker)
    })
    const hands = handsOf(page)
    await page.goto(`/#m=rtn,quarot&th=${theme}`)
    await test.step('J1, cold', () => openCold(page, hands))
    await test.step('J2, own file', () => openOwn(page, hands))
    await test.step('J3, weight and activations', () => chooseLayer(page, hands))
    await test.step('J4, compare', () => compare(page, hands))
    await test.step('J5, export', () => exportPacked(page, hands))
    await ready(page)
  })
}

test('cold on a phone: answer, figures, table and another view, none wider than the screen', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 })
  await page.goto('/#m=rtn,quarot')
  await waitForResults(page, METHODS)
  const { press, choose } = mouse(page)
  const fits = async () =>
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390)
  await expect(page.getByTestId('answer')).toContainText(/RTN [\d.]+ dB/)
  await drawn(page, 'tile-rtn')
  await fits()
  await press('pane-table')
  await expect(page.getByTestId('relative-error-quarot')).toBeVisible()
  await fits()
  await press('pane-figures')
  await choose('view-menu', 'Scales')
  await ready(page)
  await fits()
})
