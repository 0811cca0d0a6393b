import { expect, mxscope, repoFile, seriousViolations, shownError, test, waitForResults } from './support'

const LAYER = repoFile('public/layers/wt2llama-outliers-L2-q_proj.safetensors')
const WEIGHT = 'model.layers.2.self_attn.q_proj.weight'
const INPUT = 'model.layers.2.self_attn.q_proj.input'

/** What the headless command measures with these methods, each as the page prints it. */
function headless(methods: readonly string[], ...more: readonly string[]): Record<string, string> {
  const layer = [LAYER, '--weight', WEIGHT, '--activations', INPUT]
  const { results } = mxscope(['compare', ...layer, '--setting', 'W4A4', '--methods', methods.join(','), ...more])
  return Object.fromEntries(
    results.map(({ method, evaluation }) => [method, evaluation.outputRelativeError.toFixed(4)]),
  )
}

test('GPTQ is added in the grid and gives the number of the headless command', async ({ page }) => {
  await page.goto('/#m=rtn')
  await waitForResults(page, ['rtn'])
  await page.getByTestId('method-add').click()
  const grid = page.getByTestId('method-grid')
  await expect(grid.getByRole('columnheader', { name: 'GPTQ', exact: true })).toBeVisible()
  await page.getByTestId('grid-rtn').focus()
  await page.keyboard.press('ArrowRight')
  await expect(page.getByTestId('grid-gptq')).toBeFocused()
  await page.keyboard.press('Enter')
  await expect(page.getByTestId('grid-gptq')).toHaveAttribute('aria-pressed', 'true')
  await page.keyboard.press('Escape')
  await expect(grid).toHaveCount(0)
  await expect(page).toHaveURL(/m=rtn,gptq(&|$)/)
  await waitForResults(page, ['rtn', 'gptq'])
  const expected = headless(['rtn', 'gptq'])
  expect(await shownError(page, 'gptq')).toBe(expected.gptq)
  expect(Number(expected.gptq)).toBeLessThan(Number(expected.rtn))
  await page.getByTestId('details-button-gptq').click()
  await expect(page.getByTestId('details-gptq')).toContainText('Extra cost at inference')
  await expect(page.getByTestId('notes-gptq').locator('li').first()).toBeVisible()
})

test('the preset "Error compensation" computes its methods', async ({ page }) => {
  await page.goto('/#m=rtn')
  await waitForResults(page, ['rtn'])
  await page.getByTestId('method-preset').selectOption({ label: 'Error compensation' })
  const methods = ['rtn', 'gptq', 'mr-gptq', 'flatquant+gptq']
  await waitForResults(page, methods)
  for (const method of methods) expect(Number(await shownError(page, method))).toBeGreaterThan(0)
  await expect(page.getByTestId('answer')).toContainText('MR-GPTQ')
})

test('a sweep over α draws, passes through the number of the table, and is kept', async ({ page, context }) => {
  await page.goto('/#m=rtn,smoothquant&view=sweeps')
  await expect(page.getByTestId('relative-error-smoothquant')).toBeVisible({ timeout: 60_000 })
  await page.getByTestId('sweep-parameter').selectOption('alpha')
  await page.getByTestId('sweep-run').click()
  await expect(page.getByTestId('sweep-state')).toHaveText('11 values, all computed', { timeout: 90_000 })
  const figure = page.getByTestId('sweep-figure')
  await expect(figure.locator('.scatterlayer .trace')).toHaveCount(2)
  await expect(figure.locator('.xtick text')).toHaveCount(11)
  const inUse = await shownError(page, 'smoothquant')
  const calibration = (await page.getByTestId('calibration-error-smoothquant').innerText()).trim()
  await figure.getByText('Show data').click()
  await expect(figure.getByRole('row', { name: `SmoothQuant 0.5 ${inUse} ${calibration}` })).toHaveCount(1)

  await page.getByTestId('setting-w8a8').click()
  await expect(page.getByTestId('sweep-stale')).toContainText('W4A4')
  await page.getByTestId('setting-w4a4').click()
  await expect(page.getByTestId('sweep-state')).toHaveText('11 values, all computed')
  const fresh = await context.newPage()
  await fresh.goto(page.url())
  await expect(fresh.getByTestId('sweep-state')).toHaveText('11 values, all computed', { timeout: 90_000 })
})

test('a sweep is cancelled at once', async ({ page }) => {
  await page.goto('/#m=rtn,flatquant(steps=10)&view=sweeps&sw=steps')
  await page.getByTestId('sweep-cancel').click({ timeout: 60_000 })
  await expect(page.locator('body')).toHaveAttribute('data-state', 'ready', { timeout: 10_000 })
  await expect(page.getByTestId('sweep-run')).toBeEnabled()
})

test('on a phone the grid scrolls inside, and nothing scrolls sideways', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 })
  await page.goto('/#m=rtn&view=sweeps')
  const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
  await expect(page.getByTestId('sweep-parameter')).toBeVisible()
  expect(await overflow()).toBeLessThanOrEqual(0)
  await page.getByTestId('pane-setup').click()
  await page.getByTestId('method-add').click()
  const last = page.getByTestId('grid-scaled-hadamard+gptq+low-rank')
  await last.scrollIntoViewIfNeeded()
  await last.click()
  await expect(last).toHaveAttribute('aria-pressed', 'true')
  expect(await overflow()).toBeLessThanOrEqual(0)
  await page.getByTestId('method-grid-done').click()
  await expect(page.getByTestId('method-grid')).toHaveCount(0)
  await expect(page.getByTestId('method-scaled-hadamard+gptq+low-rank')).toBeVisible()
})

test('axe finds nothing serious in a sweep and in the grid, in light and in dark', async ({ page }) => {
  for (const theme of ['light', 'dark']) {
    // The second time only the theme changes, on the page as it is.
    await page.goto(`/#m=rtn,smoothquant&view=sweeps&sw=tokens&th=${theme}`)
    await expect(page.locator('html')).toHaveAttribute('data-mantine-color-scheme', theme)
    await expect(page.getByTestId('sweep-state')).toContainText('all computed', { timeout: 90_000 })
    await expect(page.locator('[data-test="sweep-figure"] [data-drawing="drawn"]')).toBeVisible()
    expect(await seriousViolations(page)).toEqual([])
    await page.getByTestId('method-add').click()
    await expect(page.getByTestId('grid-rtn')).toBeVisible()
    expect(await seriousViolations(page)).toEqual([])
    await page.keyboard.press('Escape')
    await expect(page.getByTestId('method-grid')).toHaveCount(0)
  }
})
