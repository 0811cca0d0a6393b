import { expect, METHODS, test, waitForResults } from './support'

/** Distance between two places on the screen that may differ by rounding, in px. */
const NEAR = 3

test('a method and a channel picked in one place are shown in all, stay in the link, and lead to the block', async ({
  page,
}) => {
  await page.goto('/#m=rtn,quarot,flatquant(steps=10)&view=surface')
  await waitForResults(page)
  const hash = () => new URL(page.url()).hash
  const plots = page.locator('figure[data-drawing="drawn"]')
  await expect(plots).toHaveCount(METHODS.length)

  // Pointing at a chip marks tile and row, and leaves the address alone.
  const before = hash()
  await page.getByTestId('method-quarot').hover()
  for (const hook of ['tile-quarot', 'table-row-quarot'])
    await expect(page.getByTestId(hook)).toHaveAttribute('data-method-mark', 'pointed')
  await expect(page.getByTestId('tile-rtn')).not.toHaveAttribute('data-method-mark')
  expect(hash()).toBe(before)

  // A cell of the map: the same number in every tile, the block of X in the Blocks view.
  const channels = 192
  const channel = 37
  const map = page.getByTestId('tile-rtn').locator('.nsewdrag')
  const box = await map.boundingBox()
  if (!box) throw new Error('the map has no area')
  const at = { x: box.x + ((channel + 0.5) / channels) * box.width, y: box.y + box.height / 2 }
  await page.mouse.move(at.x, at.y)
  await expect(page.locator('[data-mark="pointed"]')).toHaveCount(METHODS.length)
  await page.mouse.down()
  await page.mouse.up()
  await page.mouse.move(2, 2)
  const pinned = page.locator('[data-mark="pinned"]')
  await expect(pinned).toHaveCount(METHODS.length)
  await expect(page.getByTestId('tile-quarot').locator('[data-mark="pinned"]')).toHaveAttribute('data-mixed', 'true')
  const line = await page.getByTestId('tile-rtn').locator('[data-mark="pinned"]').boundingBox()
  expect(Math.abs((line?.x ?? 0) - at.x)).toBeLessThan(NEAR)
  const [, token] = /pin=x,(\d+),1\+c37\b/.exec(hash()) ?? []
  expect(Number(token)).toBeGreaterThanOrEqual(256)

  // A row of the table pins its method in the figures that follow.
  await page.getByTestId('row-quarot').press('Enter')
  await page.getByTestId('view-error').click()
  await expect(page.locator('[data-method-trace="lit"] .js-line')).toHaveCount(1)
  const dimmed = page.locator('.scatterlayer [data-method-trace="dimmed"]').first()
  await expect(dimmed).toHaveCSS('opacity', '0.35')
  await page.locator('.annotation', { hasText: 'FlatQuant' }).locator('text').hover()
  await expect(page.getByTestId('table-row-flatquant')).toHaveAttribute('data-method-mark', 'pointed')
  await page.getByTestId('row-quarot').press('Escape')
  await page.mouse.move(2, 2)
  await page.getByTestId('row-quarot').blur()
  await expect(page.locator('[data-method-trace]')).toHaveCount(0)

  // Back takes the pin back, and the view before it.
  await page.goBack()
  await expect(page.getByTestId('row-quarot')).toHaveAttribute('aria-pressed', 'true')
  await page.goBack()
  await expect(page.getByTestId('view-surface')).toHaveAttribute('aria-current', 'page')
  expect(hash()).toContain('+c37')
  await expect(pinned).toHaveCount(METHODS.length)
  await page.mouse.click(at.x, at.y + 40)
  const inspect = page.getByTestId('inspect-cell')
  const [, moved] = /token (\d+)/.exec(await inspect.innerText()) ?? []
  await inspect.click()
  await expect(page.locator('#block-heading')).toHaveText(`Block 1 · token ${moved} · channels 32–63`)
})
