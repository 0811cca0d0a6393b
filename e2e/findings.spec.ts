import { expect, test, waitForResults } from './support'

test('findings are measured on request; verdicts and numbers follow from the data beside them', async ({ page }) => {
  await page.goto('/#m=rtn&rows=96&view=findings')
  await expect(page.locator('body')).toHaveAttribute('data-state', 'ready', { timeout: 60_000 })
  const cards = page.locator('article[data-verdict]')
  await expect(cards).toHaveCount(8)
  await expect(page.getByTestId('finding-rotation')).toHaveAttribute('data-verdict', 'pending')

  await page.getByTestId('findings-measure').click()
  await expect(page.locator('article[data-verdict=pending]')).toHaveCount(0, { timeout: 90_000 })
  await expect(page.getByTestId('findings-measure')).toHaveCount(0)

  const rotation = page.getByTestId('finding-rotation')
  await rotation.getByText('Show data').click()
  const rows = await rotation.locator('tbody tr').allInnerTexts()
  const values = rows.map((row) => Number(row.split('\t').at(-1)))
  const mean = (numbers: number[]) => numbers.reduce((sum, one) => sum + one, 0) / numbers.length
  const [mx, integer] = [mean(values.slice(1, 6)) / values[0], mean(values.slice(7)) / values[6]]
  expect(values).toHaveLength(12)
  const shown = await page.getByTestId('finding-rotation-number').innerText()
  const [, first, second] = /^([\d.]+) × under MXFP4, ([\d.]+) × under INT4$/.exec(shown) ?? []
  expect(Number(first)).toBeCloseTo(mx, 1)
  expect(Number(second)).toBeCloseTo(integer, 1)
  // On this layer rotation hurts MXFP4 and helps INT4: the rule is met by far.
  expect(mx).toBeGreaterThan(1.02)
  expect(integer).toBeLessThan(0.98)
  await expect(page.getByTestId('finding-rotation-verdict')).toHaveText('✓ holds here')
  const holding = await page.locator('article[data-verdict=holds]').count()
  await expect(page.getByTestId('findings-summary')).toContainText(`${holding} of 8 findings hold on this layer`)

  // What was measured is kept: nothing runs again.
  await page.getByTestId('view-distribution').click()
  await waitForResults(page, ['rtn'])
  await page.getByTestId('view-findings').click()
  await expect(page.locator('article[data-verdict=pending]')).toHaveCount(0)
})
