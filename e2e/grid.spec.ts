import { expect, mxscope, repoFile, test, waitForResults } from './support'

const PROJECTION = 'model.layers.2.self_attn.q_proj'

test('cells of the grid are computed where they are asked for, with the numbers of the headless command', async ({
  page,
}) => {
  await page.goto('/#m=rtn&view=grid')
  await expect(page.getByTestId('cell-rtn')).toHaveAttribute('data-status', 'live', { timeout: 60_000 })
  await expect(page.getByTestId('cell-quarot+gptq')).toHaveAttribute('data-status', 'missing')

  // By keyboard: from a cell with the arrows to another, which Enter computes.
  await page.getByTestId('cell-quarot').focus()
  await page.keyboard.press('Enter')
  await page.keyboard.press('ArrowRight')
  await page.keyboard.press('Enter')
  const { results } = mxscope([
    ...[
      'compare',
      repoFile('public/layers/wt2llama-outliers-L2-q_proj.safetensors'),
      '--weight',
      `${PROJECTION}.weight`,
    ],
    ...['--activations', `${PROJECTION}.input`, '--setting', 'W4A4', '--methods', 'rtn,quarot,quarot+gptq'],
  ])
  for (const { method, evaluation } of results) {
    await expect(page.getByTestId(`cell-${method}`)).toContainText(evaluation.outputSqnrDb.toFixed(1), {
      timeout: 60_000,
    })
  }
  const best = results.reduce((first, each) =>
    each.evaluation.outputSqnrDb > first.evaluation.outputSqnrDb ? each : first,
  )
  await expect(page.getByTestId('grid-caption')).toContainText(`with ${best.evaluation.outputSqnrDb.toFixed(1)} dB`)

  await page.getByTestId('grid-difference').click()
  const [rtn, , starred] = results.map(({ evaluation }) => evaluation.outputSqnrDb)
  const difference = (starred - rtn).toFixed(1).replace('-', '−')
  await expect(page.getByTestId('cell-quarot+gptq')).toContainText(difference)

  // A computed cell joins the comparison.
  await page.getByTestId('cell-quarot+gptq').click()
  await expect(page.getByTestId('cell-quarot+gptq')).toHaveAttribute('aria-pressed', 'true')
  await page.getByTestId('view-distribution').click()
  await waitForResults(page, ['rtn', 'quarot+gptq'])
})
