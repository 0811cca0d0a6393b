import type { Page } from '@playwright/test'
import { expect, METHODS, mxscope, repoFile, shownError, test, waitForResults } from './support'

/** Adds up how far things move that nobody has touched, from the page's first moment on. */
async function watchLayoutShift(page: Page): Promise<() => Promise<number>> {
  await page.addInitScript(() => {
    const sum = { shift: 0 }
    Object.assign(globalThis, { layoutShift: sum })
    const add = (entries: readonly PerformanceEntry[]) => {
      for (const { value, hadRecentInput } of entries as unknown as { value: number; hadRecentInput: boolean }[]) {
        if (!hadRecentInput) sum.shift += value
      }
    }
    new PerformanceObserver((list) => add(list.getEntries())).observe({ type: 'layout-shift', buffered: true })
  })
  return () => page.evaluate(() => (globalThis as unknown as { layoutShift: { shift: number } }).layoutShift.shift)
}

test('a cold open shows the built-in comparison, live, in words and with the errors of the headless command', async ({
  page,
}) => {
  const shift = await watchLayoutShift(page)
  await page.goto('/')
  await waitForResults(page)
  await expect(page.locator('body')).toHaveAttribute('data-state', 'ready')
  await expect(page.locator('body')).toHaveAttribute('data-device', /webgpu|software/)
  const answer = await page.getByTestId('answer').innerText()
  expect(answer).toMatch(/W4A4/)
  expect(answer).toMatch(/RTN.*\d+\.\d dB|\d+\.\d dB.*RTN/s)
  // On this layer outlier channels meet small weight columns: rotation must lose to rounding, affine must win.
  const [rtn, quarot, flatquant] = await Promise.all(METHODS.map((method) => shownError(page, method)))
  expect(Number(quarot)).toBeGreaterThan(Number(rtn))
  expect(Number(flatquant)).toBeLessThan(Number(rtn))
  const { results } = mxscope([
    'compare',
    repoFile('public/layers/wt2llama-outliers-L2-q_proj.safetensors'),
    ...['--weight', 'model.layers.2.self_attn.q_proj.weight'],
    ...['--activations', 'model.layers.2.self_attn.q_proj.input'],
    ...['--setting', 'W4A4', '--methods', METHODS.join(',')],
  ])
  const measured = results.map(({ evaluation }) => evaluation.outputRelativeError.toFixed(4))
  expect([rtn, quarot, flatquant]).toEqual(measured)
  // Every part has its place before it has its contents.
  expect(await shift()).toBeLessThan(0.02)
  // The browser does see what moves.
  await page.evaluate(() =>
    document.querySelector('main')?.prepend(Object.assign(document.createElement('p'), { style: 'height: 200px' })),
  )
  await expect.poll(shift).toBeGreaterThan(0.02)
})

test('after load no request leaves the page, and every request before was to its own site', async ({
  page,
  baseURL,
}) => {
  const foreign: string[] = []
  page.on('request', (request) => {
    const url = request.url()
    if (!url.startsWith(String(baseURL)) && !url.startsWith('blob:') && !url.startsWith('data:')) foreign.push(url)
  })
  await page.goto('/#m=rtn,quarot,flatquant(steps=5)')
  await waitForResults(page)
  const after: string[] = []
  page.on('request', (request) => {
    if (!request.url().startsWith('blob:') && !request.url().startsWith('data:')) after.push(request.url())
  })
  await page.getByTestId('setting-w8a8').click()
  await expect(page).toHaveURL(/set=w8a8/)
  await waitForResults(page)
  expect(foreign).toEqual([])
  expect(after).toEqual([])
})
