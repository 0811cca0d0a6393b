import { chromium } from '@playwright/test'
import { chromiumLaunch } from '../scripts/chromium.mjs'
import { expect, seriousViolations, test } from './support'

test('the number line reads the right code of a known number, without a GPU', async ({ baseURL }) => {
  const browser = await chromium.launch(chromiumLaunch({ webgpu: false }))
  try {
    const page = await browser.newPage({ baseURL, viewport: { width: 1440, height: 900 } })
    await page.goto('/#view=formats&pre=0')
    const value = page.getByTestId('line-value')
    await value.fill('2.5')
    await value.press('Enter')
    // Half to even: 2.5 lies between 2 and 3 of E2M1 and goes to the even code.
    await expect(page.getByTestId('line-code-0')).toHaveText('0|10|0 is 2 × 2⁰ = 2')
    await expect(page.getByTestId('line-code-3')).toHaveText('0|1110|010 is 160 × 2⁻⁶ = 2.5')
    await page.getByTestId('setting-ties').selectOption('half-away')
    await expect(page.getByTestId('line-code-0')).toHaveText('0|10|1 is 3 × 2⁰ = 3')
    await page.getByTestId('line-add').selectOption('bf16')
    await expect(page.getByTestId('line-code-4')).toHaveText('0|10000000|0100000 is 2.5')
    await expect(page.getByTestId('format-facts')).toContainText('65,279')
  } finally {
    await browser.close()
  }
})

test('the pointer rounds what is under it; the slider of the pre-scale moves the grid', async ({ page }) => {
  await page.goto('/#view=formats&m=rtn')
  const strip = page.getByTestId('line-row-0').locator('svg').last()
  const box = await strip.boundingBox()
  if (!box) throw new Error('no strip')
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2)
  await expect(page.getByTestId('line-code-0')).toHaveText(/^\d\|00\|0 is 0 × .* = 0$/)
  await page.mouse.move(5, 5)
  const before = await page.getByTestId('line-code-0').innerText()
  const slider = page.getByTestId('line-pre-scale-slider').getByRole('slider')
  await slider.focus()
  await slider.press('Home')
  await expect(page.getByTestId('line-pre-scale')).toHaveValue('0.5')
  await expect(page.getByTestId('line-code-0')).not.toHaveText(before)
  await page.getByTestId('line-pre-scale-reset').click()
  await expect(page.getByTestId('line-code-0')).toHaveText(before)
})

for (const view of ['formats', 'blocks']) {
  test(`${view}: nothing scrolls sideways at 390 px, and axe finds nothing serious in dark`, async ({ page }) => {
    await page.setViewportSize({ width: 390, height: 844 })
    await page.goto(`/#view=${view}&m=rtn&th=dark`)
    await expect(page.getByTestId(view === 'formats' ? 'format-facts' : 'blocks-map')).toBeVisible()
    if (view === 'blocks') await expect(page.locator('[data-drawing="drawn"]')).toBeVisible()
    const overflow = () =>
      page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
    expect(await overflow()).toBeLessThanOrEqual(0)
    if (view === 'blocks') {
      await page.getByTestId('blocks-open').click()
      await expect(page.getByTestId('block-table')).toBeVisible()
      await expect(page.locator('#block-heading')).toBeFocused()
      await expect(page.getByTestId('block-table').getByRole('columnheader', { name: 'code' })).toHaveCount(1)
      await page.getByTestId('block-table-side-1').click()
      await expect(page.getByTestId('block-table').getByRole('columnheader', { name: 'NVFP4' })).toBeVisible()
      expect(await overflow()).toBeLessThanOrEqual(0)
    }
    expect(await seriousViolations(page)).toEqual([])
  })
}

test('a link restores the number line and the formats of a block', async ({ page }) => {
  await page.goto('/#v=1&m=rtn&view=formats&fx=mxfp4+int4(scheme=asym)&fl=x-2.5,exp,k-2,p0.9')
  await expect(page.getByTestId('line-value')).toHaveValue('-2.5')
  await expect(page.getByTestId('line-code-1')).toContainText('− ')
  await page.getByTestId('line-add').selectOption('bf16')
  await expect.poll(() => new URL(page.url()).hash).toContain('fx=mxfp4+int4(scheme=asym)+bf16&fl=x-2.5,exp,k-2,p0.9')
  await page.goBack()
  await expect(page.getByTestId('line-row-2')).toHaveCount(0)
  await expect(page.getByTestId('results-fold')).toHaveAttribute('aria-expanded', 'false')
  await expect(page.getByTestId('table-row-rtn')).toBeHidden()
  await page.getByTestId('results-fold').click()
  await expect(page.getByTestId('table-row-rtn')).toBeVisible()
})
