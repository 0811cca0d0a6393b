import { readFileSync } from 'node:fs'
import type { Page } from '@playwright/test'
import { expect, repoFile, test, waitForResults } from './support'

/**
 * Of the pixels of a picture, so many may differ: more than edges of letters and lines do from run to run, less than one
 * method drawn in another colour or a table moved by 4 px (CONTRIBUTING.md).
 */
const MAY_DIFFER = 0.001
/** From this difference of colour on, of 0 to 1, a pixel differs. */
const SAME_COLOUR = 0.02

const METHODS = ['rtn', 'quarot']

/** Compares the page with its saved picture. What depends on the machine and on time is covered. */
async function compare(page: Page, name: string, part = page.locator('body')): Promise<void> {
  const taken = readFileSync(repoFile('e2e/snapshots/taken-with.txt'), 'utf8').trim()
  const here = page.context().browser()?.version().split('.')[0] ?? 'unknown'
  const hint =
    here === taken
      ? `${name} looks as saved`
      : `${name} was saved with Chromium ${taken}, this is Chromium ${here}: look at the difference, then save anew (CONTRIBUTING.md)`
  await page.mouse.move(2, 2)
  await expect(part, hint).toHaveScreenshot(`${name}.png`, {
    maxDiffPixelRatio: MAY_DIFFER,
    threshold: SAME_COLOUR,
    animations: 'disabled',
    mask: [
      page.getByText(/· WebGPU$|^software GPU$/),
      page.locator('footer'),
      page.getByText(/\babout [\d.]+ (ms|s|min)\b/i),
    ],
  })
}

const ready = (page: Page) => expect(page.locator('body')).toHaveAttribute('data-state', 'ready', { timeout: 60_000 })
const drawn = (page: Page, area: string, figures: number) =>
  expect(page.locator(`[data-test="${area}"] figure[data-drawing="drawn"]`)).toHaveCount(figures)

test('the page looks as its saved pictures do', async ({ page }) => {
  await page.emulateMedia({ reducedMotion: 'reduce', colorScheme: 'light' })
  await page.goto('/#m=rtn,quarot')
  await waitForResults(page, METHODS)
  await page.getByTestId('tour-decline').click()
  await drawn(page, 'view-area', METHODS.length)
  await ready(page)
  await compare(page, 'distribution-light')
  await page.emulateMedia({ colorScheme: 'dark' })
  await drawn(page, 'view-area', METHODS.length)
  await compare(page, 'distribution-dark')
  await page.emulateMedia({ colorScheme: 'light' })
  await compare(page, 'table', page.getByRole('region', { name: 'Results' }))

  await page.getByTestId('view-figure5').click()
  for (const row of ['loaded', ...METHODS]) await drawn(page, `figure5-${row}`, 3)
  await ready(page)
  await compare(page, 'figure5')
  for (const view of ['grid', 'findings'] as const) {
    await page.getByTestId(`view-${view}`).click()
    await expect(page.getByTestId('view-area')).not.toContainText('Loading')
    await ready(page)
    await compare(page, view)
  }
  await page.goto('/#m=rtn,quarot&view=rotation')
  await expect(page.getByTestId('causes-verdict')).toContainText('on average over 5 seeds', { timeout: 60_000 })
  await ready(page)
  await compare(page, 'rotation')

  await page.getByTestId('view-distribution').click()
  await page.setViewportSize({ width: 390, height: 844 })
  await drawn(page, 'view-area', METHODS.length)
  await compare(page, 'distribution-phone')
})
