import { chromium } from '@playwright/test'
import { chromiumLaunch } from '../scripts/chromium.mjs'
import { expect, repoFile, shownError, test, violations, waitForResults } from './support'

test('a device lost in a run is said, results stay, and the page recovers with the method that was cut', async ({
  page,
}) => {
  await page.goto('/?test=1#m=rtn,quarot,flatquant(steps=40)')
  await waitForResults(page, ['rtn', 'quarot'])
  await expect(page.getByTestId('tile-flatquant')).toHaveAttribute('data-result', 'running')
  const before = await shownError(page, 'rtn')
  await page.evaluate(() => document.dispatchEvent(new Event('mxscope:lose-device')))
  await expect(page.getByTestId('banner-GP-04')).toBeVisible()
  expect(await shownError(page, 'rtn')).toBe(before)
  await waitForResults(page, ['rtn', 'quarot'])
  await page.getByRole('button', { name: 'Start again' }).click()
  await expect(page.getByTestId('banner-GP-04')).toHaveCount(0)
  await waitForResults(page)
  expect(await shownError(page, 'rtn')).toBe(before)
  await page.getByTestId('setting-w8a8').click()
  await waitForResults(page, ['rtn', 'quarot'])
  expect(Number(await shownError(page, 'rtn'))).toBeLessThan(Number(before))
})

test('two tabs compute at once, the hidden one to its end', async ({ page, context }) => {
  const other = await context.newPage()
  await page.goto('/#m=rtn,quarot')
  await other.goto('/#m=rtn,quarot')
  await other.bringToFront()
  for (const tab of [other, page]) {
    await waitForResults(tab, ['rtn', 'quarot'])
    await expect(tab.locator('body')).toHaveAttribute('data-state', 'ready')
  }
  expect(await shownError(page, 'quarot')).toBe(await shownError(other, 'quarot'))
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
    expect(await violations(page)).toEqual([])
    await page.locator('input[type=file]').first().setInputFiles(repoFile('test/golden/layers/layer-a.safetensors'))
    await expect(page.getByTestId('tensor-row').filter({ hasText: 'layer.weight' }).first()).toBeVisible()
  } finally {
    await browser.close()
  }
})
