import { expect, mxscope, repoFile, shownError, test, waitForResults } from './support'

const LAYER_A = repoFile('test/golden/layers/layer-a.safetensors')
const UNTRAINED = ['rtn', 'quarot']

test('a dropped file and chosen tensors change the numbers to those of the headless command', async ({ page }) => {
  await page.goto('/#m=rtn,quarot')
  await waitForResults(page, UNTRAINED)
  const before = await shownError(page, 'rtn')

  await page.locator('input[type=file]').first().setInputFiles(LAYER_A)
  await expect(page.getByTestId('answer')).toContainText('layer-a', { timeout: 60_000 })
  await expect(page.getByTestId('tensor-row').filter({ hasText: 'layer.weight' }).first()).toContainText('256')
  await waitForResults(page, UNTRAINED)
  const opened = await shownError(page, 'rtn')
  expect(opened).not.toBe(before)
  await page.getByTestId('rail-activations').click()
  await page.getByTestId('source-tensor').selectOption({ label: 'eval.input (256 × 256)' })
  await expect(page.getByTestId('relative-error-rtn')).not.toHaveText(opened)
  await waitForResults(page, UNTRAINED)

  const { results } = mxscope([
    ...['compare', LAYER_A, '--weight', 'layer.weight', '--activations', 'eval.input'],
    ...['--setting', 'W4A4', '--methods', UNTRAINED.join(',')],
  ])
  for (const result of results) {
    expect(await shownError(page, result.method), result.method).toBe(result.evaluation.outputRelativeError.toFixed(4))
  }
})

test('a weight without activations gets seeded synthetic ones, labelled as such', async ({ page }) => {
  await page.goto('/#m=rtn,quarot')
  await waitForResults(page, UNTRAINED)
  await page.locator('input[type=file]').first().setInputFiles(repoFile('test/golden/layers/weight-only.safetensors'))
  await expect(page.getByTestId('answer')).toContainText('weight-only', { timeout: 60_000 })
  await waitForResults(page, UNTRAINED)
  await expect(page.getByTestId('tile-rtn')).toContainText(/synthetic/i)
})
