import { chromium } from '@playwright/test'
import { chromiumLaunch } from '../scripts/chromium.mjs'
import { expect, repoFile, seriousViolations, shownError, test, waitForResults } from './support'

test('a lost device is said, results stay, and the page recovers', async ({ page }) => {
  await page.goto('/?test=1#m=rtn,quarot')
  await waitForResults(page, ['rtn', 'quarot'])
  const before = await shownError(page, 'rtn')
  await page.evaluate(() => document.dispatchEvent(new Event('mxscope:lose-device')))
  await expect(page.getByTestId('banner-GP-04')).toBeVisible()
  expect(await shownError(page, 'rtn')).toBe(before)
  await page.getByRole('button', { name: 'Start again' }).click()
  await expect(page.getByTestId('banner-GP-04')).toHaveCount(0)
  await page.getByTestId('setting-w8a8').click()
  await waitForResults(page, ['rtn', 'quarot'])
  expect(Number(await shownError(page, 'rtn'))).toBeLessThan(Number(before))
})

test('without WebGPU the page says what to do, and files can still be opened', async ({ baseURL }) => {
  const browser = await chromium.launch(chromiumLaunch({ webgpu: false }))
  try {
    const page = await browser.newPage({ baseURL, viewport: { width: 1440, height: 900 } })
    await page.goto('/')
    await expect(page.locator('body')).toHaveAttribute('data-device', 'none')
    const banner = page.locator('[data-test^="banner-GP-0"]')
    await expect(banner).toBeVisible()
    await expect(banner).toContainText(/--enable-unsafe-webgpu/)
    await page.locator('input[type=file]').first().setInputFiles(repoFile('test/golden/layers/layer-a.safetensors'))
    await expect(page.getByTestId('tensor-row').filter({ hasText: 'layer.weight' }).first()).toBeVisible()
  } finally {
    await browser.close()
  }
})

for (const width of [320, 390, 768, 1440]) {
  test(`nothing scrolls sideways at ${width} px`, async ({ page }) => {
    await page.setViewportSize({ width, height: 844 })
    await page.goto('/#m=rtn,quarot')
    await waitForResults(page, ['rtn', 'quarot'])
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    )
    expect(overflow).toBeLessThanOrEqual(0)
  })
}

const AXE_PAGES = ['light', 'dark'].flatMap((theme) => ['distribution', 'scales'].map((view) => ({ theme, view })))

for (const { theme, view } of AXE_PAGES) {
  test(`axe finds nothing serious in ${theme}, view ${view}`, async ({ page }) => {
    await page.goto(`/#m=rtn,quarot&view=${view}&th=${theme}`)
    if (view === 'distribution') await waitForResults(page, ['rtn', 'quarot'])
    else await expect(page.getByTestId('panel-clipping')).toBeVisible({ timeout: 90_000 })
    await expect(page.locator('body')).toHaveAttribute('data-state', 'ready', { timeout: 60_000 })
    expect(await seriousViolations(page)).toEqual([])
  })
}
