import { expect, shownError, test, waitForResults } from './support'

test('Cancel stops a run at once and keeps what is finished', async ({ page }) => {
  await page.goto('/#m=rtn,quarot,flatquant(steps=1000)')
  await expect(page.getByTestId('tile-quarot')).toHaveAttribute('data-result', 'live', { timeout: 60_000 })
  await expect(page.getByTestId('tile-flatquant')).toHaveAttribute('data-result', 'running')
  await page.getByRole('button', { name: 'Cancel' }).click()
  await expect(page.locator('body')).toHaveAttribute('data-state', 'ready', { timeout: 3_000 })
  await expect(page.getByTestId('tile-flatquant')).not.toHaveAttribute('data-result', 'running')
  await expect(page.getByTestId('tile-rtn')).toHaveAttribute('data-result', 'live')
  expect(Number(await shownError(page, 'rtn'))).toBeGreaterThan(0)
})

test('the curve of a training grows on the Training view, and stays after Cancel with the step it came to', async ({
  page,
}) => {
  await page.goto('/#m=rtn,flatquant(steps=2000)&view=training')
  const caption = page.getByTestId('panel-training').locator('figcaption')
  const stepOf = async () => Number(/at step (\d+) of 2000/.exec(await caption.innerText())?.[1])
  await expect(caption).toContainText('FlatQuant under W4A4: at step', { timeout: 60_000 })
  const early = await stepOf()
  await expect.poll(stepOf, { timeout: 60_000 }).toBeGreaterThan(early)
  await page.getByRole('button', { name: 'Cancel' }).click()
  await expect(caption).toContainText('FlatQuant under W4A4: cancelled at step')
  const kept = await stepOf()
  expect(kept).toBeGreaterThan(early)
  await expect(page.getByTestId('panel-training').locator('.annotation-text')).toContainText(
    `cancelled at step ${kept}`,
  )
  await expect(page.getByTestId('table-row-flatquant')).toContainText(`cancelled at step ${kept} of 2000`)
  await expect(page.getByTestId('answer')).toContainText('(1 of 2 methods; FlatQuant cancelled)')
  await page.getByTestId('run-again-flatquant').click()
  await expect(caption).toContainText('FlatQuant under W4A4: at step', { timeout: 60_000 })
})

test('a link restores the setting, the methods and the numbers; the Error view compares all four settings', async ({
  page,
  context,
}) => {
  await page.goto('/#m=rtn,quarot')
  await waitForResults(page, ['rtn', 'quarot'])
  await page.getByTestId('setting-w4a16').click()
  await expect(page).toHaveURL(/set=w4a16/)
  await expect(page.getByTestId('answer')).toContainText('W4A16')
  await waitForResults(page, ['rtn', 'quarot'])
  const shown = await shownError(page, 'quarot')
  const fresh = await context.newPage()
  await fresh.goto(page.url())
  await waitForResults(fresh, ['rtn', 'quarot'])
  expect(await shownError(fresh, 'quarot')).toBe(shown)
  await expect(fresh.getByTestId('tile-flatquant')).toHaveCount(0)
  await fresh.close()

  await page.getByTestId('view-error').click()
  await expect(page.locator('body')).toHaveAttribute('data-state', 'ready', { timeout: 60_000 })
  const figure = page.getByTestId('panel-error')
  for (const setting of ['W8A8', 'W4A16', 'W4A8', 'W4A4']) {
    await expect(figure.locator('.xtick').filter({ hasText: setting })).toHaveCount(1)
  }
})
