import type { Page } from '@playwright/test'
import { expect, seriousViolations, test } from './support'

/** Every error of the study, on a software GPU beside other work. */
const STUDY = { timeout: 100_000 }

/** On a phone, in dark: nothing scrolls sideways, and axe finds nothing serious. */
async function checkPhone(page: Page, shown: string): Promise<void> {
  await page.setViewportSize({ width: 390, height: 844 })
  await page.evaluate(() => {
    location.hash += '&th=dark'
  })
  await expect(page.locator('html')).toHaveAttribute('data-mantine-color-scheme', 'dark')
  await expect(page.getByTestId(shown)).toBeVisible()
  const overflow = () =>
    page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
  await expect.poll(overflow).toBeLessThanOrEqual(0)
  expect(await seriousViolations(page)).toEqual([])
}

test('the study finds that rotation helps INT4 and hurts MXFP4, follows a slider, and is in the link', async ({
  page,
}) => {
  await page.goto('/#view=rotation&m=rtn')
  await page.getByTestId('rotation-synthetic').click()
  await expect(page.getByTestId('study-sentence')).toContainText('lowers that of INT4', STUDY)
  const ratio = async (format: string) => Number(await page.getByTestId(`study-ratio-${format}`).innerText())
  expect(await ratio('int4')).toBeLessThan(0.98)
  expect(await ratio('mxfp4')).toBeGreaterThan(1.02)
  await expect(page.getByTestId('study-cancel')).toHaveCount(0, STUDY)
  // At k = 4 the outliers are too weak to hurt.
  const strength = page.getByTestId('study-strength').getByRole('slider')
  for (const _ of [32, 16, 8]) await strength.press('ArrowLeft')
  await expect(page.getByTestId('study-sentence')).toContainText('At strength 4, ')
  expect(await ratio('mxfp4')).toBeLessThan(1.05)
  await expect.poll(() => new URL(page.url()).hash).toContain('ro=synthetic,k4')
  await expect(page.getByTestId('study-cancel')).toHaveCount(0)
  const shown = await page.getByTestId('study-sentence').innerText()
  await page.reload()
  await expect(page.getByTestId('study-sentence')).toHaveText(shown, STUDY)
  await checkPhone(page, 'study-sentence')
})

test('this layer: measured and predicted errors, the verdict, and a link that restores it', async ({ page }) => {
  await page.goto('/#view=rotation&m=rtn')
  await expect(page.getByTestId('causes-verdict')).toContainText('on average over 5 seeds', STUDY)
  await expect(page.getByTestId('causes-verdict')).toContainText('QuaRot hurts here')
  const [measured, predicted] = (await page.getByTestId('causes-table').getByRole('row').nth(1).innerText())
    .split(/\s+/)
    .map(Number)
    .filter(Number.isFinite)
  expect(measured).toBeGreaterThan(0)
  expect(Math.abs(predicted / measured - 1)).toBeLessThan(0.15)
  // The contrast, on this layer: one format hurt and the other helped.
  await expect(page.getByTestId('pair-mxfp4')).toContainText('hurts', STUDY)
  await expect(page.getByTestId('pair-int4')).toContainText('helps', STUDY)
  await page.getByTestId('causes-rotation').selectOption('block-hadamard')
  await expect(page.getByTestId('causes-verdict')).toContainText('Block Hadamard', STUDY)
  await expect.poll(() => new URL(page.url()).hash).toContain('rr=block-hadamard')
  await page.reload()
  await expect(page.getByTestId('causes-verdict')).toContainText('Block Hadamard', STUDY)
  await checkPhone(page, 'causes-verdict')
})
