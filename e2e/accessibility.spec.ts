import { readFileSync } from 'node:fs'
import type { Page } from '@playwright/test'
import { VIEWS } from '../src/store/views'
import { expect, test, violations, waitForResults } from './support'

/** Of what axe looks at, all that the theme decides. */
const COLOUR_RULES = ['color-contrast', 'link-in-text-block']

/** Setup and table fill the screen of a phone, each a landmark of its own. */
const NO_MAIN = 'landmark-one-main'

/** What opens over the page or beside its button: the button, what stands in what it opens. Escape closes each. */
const OPENERS = [
  ['export', 'export-dialog'],
  ['runs', 'runs-drawer'],
  ['help', 'glossary'],
  ['gpu-details', 'gpu'],
  ['privacy-button', 'privacy'],
  ['method-add', 'method-grid'],
  ['method-options-quarot', 'help-method:quarot'],
  ['help-view:distribution', 'help-popover'],
  ['table-menu', 'paper-model'],
] as const

/** Collects what axe finds in one state after another; in dark, colours only: the rest is the same page. */
function axeWalk(page: Page) {
  const found: string[] = []
  const note = (state: string, problems: readonly string[]) =>
    found.push(...problems.map((problem) => `${state}: ${problem}`))
  const theme = (colorScheme: 'light' | 'dark') => page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
  return {
    found,
    begin: () => theme('light'),
    see: async (state: string, { part, but = [] }: { part?: string; but?: readonly string[] } = {}) => {
      const light = await violations(page, { part })
      note(
        `${state}, light`,
        light.filter((problem) => !but.some((rule) => problem.startsWith(`${rule}: `))),
      )
      await theme('dark')
      note(`${state}, dark`, await violations(page, { part, only: COLOUR_RULES }))
      await theme('light')
    },
  }
}

const ready = (page: Page) => expect(page.locator('body')).toHaveAttribute('data-state', 'ready', { timeout: 60_000 })

test('axe finds nothing in any view, light and dark', async ({ page }) => {
  const walk = axeWalk(page)
  await walk.begin()
  await page.goto('/#m=rtn')
  await waitForResults(page, ['rtn'])
  for (const { id } of VIEWS) {
    await page.getByTestId(`view-${id}`).click()
    await expect(page.getByTestId('view-area')).not.toContainText('Loading')
    if (id === 'rotation') await expect(page.getByTestId('causes-verdict')).toBeVisible({ timeout: 60_000 })
    else await ready(page)
    // Header, rail, table and status bar are the same in every view.
    await walk.see(id, { part: id === VIEWS[0].id ? 'body' : 'main' })
  }
  expect(walk.found).toEqual([])
})

test('axe finds nothing in any pane of a phone', async ({ page }) => {
  const walk = axeWalk(page)
  await page.setViewportSize({ width: 390, height: 844 })
  await walk.begin()
  await page.goto('/#m=rtn')
  await waitForResults(page, ['rtn'])
  for (const pane of ['layer', 'setup', 'table', 'figures']) {
    await page.getByTestId(`pane-${pane}`).click()
    await walk.see(`phone, ${pane}`, { but: pane === 'figures' ? [] : [NO_MAIN] })
  }
  expect(walk.found).toEqual([])
})

test('axe finds nothing in what opens over the page, and closing gives the focus back', async ({ page }) => {
  const walk = axeWalk(page)
  await walk.begin()
  await page.goto('/#m=rtn,quarot')
  await waitForResults(page, ['rtn', 'quarot'])
  for (const [button, inside] of OPENERS) {
    await page.getByTestId(button).focus()
    await page.keyboard.press('Enter')
    await expect(page.getByTestId(inside)).toBeVisible()
    await walk.see(button)
    await page.keyboard.press('Escape')
    await expect(page.getByTestId(inside), button).toBeHidden()
    await expect(page.getByTestId(button)).toBeFocused()
  }
  await page.keyboard.press('?')
  await expect(page.getByTestId('shortcuts')).toBeVisible()
  await walk.see('shortcuts')
  await page.keyboard.press('Escape')
  await page.getByTestId('tour-start').focus()
  await page.keyboard.press('Enter')
  await expect(page.getByTestId('tour-layer')).toBeFocused()
  await walk.see('tour')
  await page.keyboard.press('Escape')
  await expect(page.getByTestId('view-area')).toBeFocused()
  expect(walk.found).toEqual([])
})

test('axe finds nothing while computing, cancelled, failed, empty, lost, or with saved results', async ({ page }) => {
  const walk = axeWalk(page)
  await walk.begin()
  await page.addInitScript(() => Reflect.deleteProperty(window, 'showSaveFilePicker'))
  await page.goto('/#m=rtn,flatquant(steps=400)')
  await expect(page.getByTestId('tile-flatquant')).toHaveAttribute('data-result', 'running', { timeout: 60_000 })
  await expect(page.getByTestId('announcement')).toContainText('Computing FlatQuant')
  await walk.see('computing')
  await page.getByTestId('cancel').click()
  await expect(page.getByTestId('tile-flatquant')).toHaveAttribute('data-result', 'cancelled')
  await walk.see('cancelled')

  await page.goto('/#m=rtn,block-hadamard(size=128)')
  await expect(page.getByTestId('tile-block-hadamard')).toHaveAttribute('data-result', 'failed', { timeout: 60_000 })
  await walk.see('failed')

  await page.goto('/#m=-rtn')
  await expect(page.getByTestId('answer')).toContainText('no method is chosen')
  await walk.see('empty')

  await page.goto('/#m=rtn')
  await waitForResults(page, ['rtn'])
  await page.keyboard.press('e')
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByTestId('export-json').click()])
  const buffer = readFileSync(await download.path())
  await page.keyboard.press('Escape')
  await page.evaluate(() => document.dispatchEvent(new Event('mxscope:lose-device')))
  await expect(page.getByTestId('banner-GP-04')).toContainText('The browser took the GPU back.')
  await walk.see('lost')
  const file = { name: 'saved.json', mimeType: 'application/json', buffer }
  await page.locator('input[type=file]').first().setInputFiles(file)
  await expect(page.getByTestId('saved-note')).toContainText('saved.json')
  await walk.see('saved results')
  expect(walk.found).toEqual([])
})
