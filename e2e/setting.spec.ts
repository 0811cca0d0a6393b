import { expect, mxscope, repoFile, shownError, test, waitForResults } from './support'

const LAYER = repoFile('public/layers/wt2llama-outliers-L2-q_proj.safetensors')
const WEIGHT = 'model.layers.2.self_attn.q_proj.weight'
const KEYS = 'model.layers.2.self_attn.k_proj.weight'

/** Arguments that compare RTN on the built-in layer. */
const rtn = (...args: readonly string[]) =>
  mxscope([
    ...['compare', LAYER, '--weight', WEIGHT, '--activations', 'model.layers.2.self_attn.q_proj.input'],
    ...['--methods', 'rtn', ...args],
  ]).results[0].evaluation.outputRelativeError.toFixed(4)

test('formats with options give the errors of the headless command', async ({ page }) => {
  await page.goto('/#m=rtn')
  await waitForResults(page, ['rtn'])
  const before = await shownError(page, 'rtn')
  await page.getByTestId('setting-weight-format').selectOption('int4')
  await page.getByTestId('setting-activation-format').selectOption('nvfp4')
  await expect(page.getByTestId('answer')).toContainText('INT4 / NVFP4')
  await waitForResults(page, ['rtn'])
  const plain = await shownError(page, 'rtn')
  expect(plain).not.toBe(before)
  expect(plain).toBe(rtn('--setting', 'int4/nvfp4'))
  await expect(page.getByTestId('setting-scale-rule')).toBeDisabled()

  await page.getByTestId('setting-weight-group').selectOption('32')
  await page.getByTestId('setting-weight-scheme').selectOption('asym')
  await page.getByTestId('setting-activation-four-over-six').selectOption('mse')
  await expect(page).toHaveURL(/wf=int4\(group=32,scheme=asym\)&af=nvfp4\(four-over-six=mse\)/)
  await expect(page.getByTestId('relative-error-rtn')).not.toHaveText(plain)
  await waitForResults(page, ['rtn'])
  expect(await shownError(page, 'rtn')).toBe(rtn('--setting', 'int4(group=32,scheme=asym)/nvfp4(four-over-six=mse)'))
})

test('another block size is marked as non-standard wherever its numbers stand; the pre-scale slider changes number and link', async ({
  page,
}) => {
  await page.goto('/#m=rtn')
  await waitForResults(page, ['rtn'])
  await expect(page.getByTestId('badge-block-size')).toHaveCount(0)
  await page.getByTestId('setting-block-size').selectOption('16')
  await expect(page.getByTestId('badge-block-size')).toContainText('non-standard')
  await expect(page).toHaveURL(/bs=16/)
  await expect(page.getByTestId('answer')).toContainText('blocks of 16 (non-standard): RTN')
  await waitForResults(page, ['rtn'])
  expect(await shownError(page, 'rtn')).toBe(rtn('--setting', 'W4A4', '--block', '16'))

  await page.getByTestId('setting-block-size').selectOption('32')
  await expect(page.getByTestId('badge-block-size')).toHaveCount(0)
  await waitForResults(page, ['rtn'])
  const before = await shownError(page, 'rtn')
  const thumb = page.getByRole('slider', { name: 'Pre-scale factor' })
  await thumb.focus()
  for (let i = 0; i < 15; i++) await page.keyboard.press('ArrowRight')
  await expect(page.getByTestId('setting-pre-scale-factor')).toHaveValue('0.9')
  await expect(page).toHaveURL(/pre=0\.9(&|$)/)
  await expect(page.getByTestId('relative-error-rtn')).not.toHaveText(before)
  await waitForResults(page, ['rtn'])
  await expect(page.getByTestId('conditions')).toContainText('pre-scale 0.9')
  expect(await shownError(page, 'rtn')).toBe(rtn('--setting', 'W4A4', '--pre-scale', '0.9'))

  // By pointer: pressed on the track, the thumb comes there.
  const track = page.getByTestId('setting-pre-scale-slider')
  const box = await track.boundingBox()
  if (!box) throw new Error('the slider is on the page')
  await page.mouse.click(box.x + box.width * 0.2, box.y + 4)
  await expect(page).toHaveURL(/pre=0\.(5[5-9]|6[0-5])(&|$)/)
})

test('settings of the key-value cache are offered for key and value projections, with the heads of the model', async ({
  page,
}) => {
  await page.goto('/#m=rtn')
  await waitForResults(page, ['rtn'])
  await expect(page.getByTestId('setting-w4a8kv8')).toHaveCount(0)
  await page.getByTestId('tensor-row').filter({ hasText: 'k_proj.weight' }).click()
  await page.getByTestId('setting-w4a4').click()
  await waitForResults(page, ['rtn'])
  const plain = await shownError(page, 'rtn')
  await page.getByTestId('setting-w4a4kv4').click()
  await expect(page.getByTestId('answer')).toContainText('W4A4KV4: RTN')
  await waitForResults(page, ['rtn'])
  expect(Number(await shownError(page, 'rtn'))).toBeGreaterThan(Number(plain))

  await expect(page.getByTestId('conditions')).toContainText('Y MXFP4 per head of 32 channels')
  const automatic = await shownError(page, 'rtn')
  await page.getByTestId('setting-head-dim').selectOption('32')
  await expect(page).toHaveURL(/hd=32/)
  await waitForResults(page, ['rtn'])
  expect(await shownError(page, 'rtn')).toBe(automatic)
})

test('copying the link leaves the line below the button to be read', async ({ page }) => {
  await page.goto('/#m=rtn')
  await waitForResults(page, ['rtn'])
  const button = page.getByTestId('copy-link')
  await button.hover()
  const tip = page.getByRole('tooltip')
  await expect(tip).toContainText('Link to this comparison')
  // Its words begin below the room above them.
  const answer = await page.getByTestId('answer').evaluate((element) => {
    const words = document.createRange()
    words.selectNodeContents(element)
    return words.getBoundingClientRect().top
  })
  const box = await tip.boundingBox()
  if (!box) throw new Error('it is on the page')
  expect(box.y + box.height).toBeLessThanOrEqual(answer)
  await button.click()
  await expect(tip).toHaveCount(0)
})

test('a link with every choice restores controls and numbers', async ({ page }) => {
  const choices = 'set=custom&wf=int8(group=64)&af=mxfp4&of=nvfp4&rule=best&tie=away&pre=0.8l&bs=64&hd=32'
  await page.goto(`/#w=${KEYS}&${choices}&m=rtn`)
  await waitForResults(page, ['rtn'])
  const select = (name: string) => page.getByTestId(`setting-${name}`)
  await expect(select('weight-format')).toHaveValue('int8')
  await expect(select('weight-group')).toHaveValue('64')
  await expect(select('activation-format')).toHaveValue('mxfp4')
  await expect(select('output-format')).toHaveValue('nvfp4')
  await expect(select('scale-rule')).toHaveValue('best')
  await expect(select('ties')).toHaveValue('half-away')
  await expect(select('pre-scale-factor')).toHaveValue('0.8')
  await expect(select('pre-scale-variant')).toHaveValue('literal')
  await expect(select('block-size')).toHaveValue('64')
  await expect(select('head-dim')).toHaveValue('32')
  const shown = await shownError(page, 'rtn')
  // The page writes the same link when a choice is made and taken back.
  await select('block-size').selectOption('32')
  await expect(page).not.toHaveURL(/bs=/)
  await select('block-size').selectOption('64')
  await expect(page).toHaveURL(new RegExp(`${choices.replace(/[()]/g, '\\$&')}&m=rtn$`))
  expect(await shownError(page, 'rtn')).toBe(shown)
})

test('the Scales view computes its sweeps and draws them', async ({ page }) => {
  await page.goto('/#m=rtn,quarot&pre=0.72l')
  await waitForResults(page, ['rtn', 'quarot'])
  await page.getByTestId('view-scales').click()
  for (const method of ['rtn', 'quarot']) {
    await expect(page.getByTestId(`scales-${method}`)).toHaveAttribute('data-result', 'live', { timeout: 90_000 })
  }
  await expect(page.locator('body')).toHaveAttribute('data-state', 'ready')
  const sweep = page.getByTestId('panel-pre-scale-sweep')
  await expect(sweep.locator('.scatterlayer .trace')).toHaveCount(2)
  await expect(page.getByTestId('panel-error-split').locator('.barlayer .trace')).toHaveCount(2)
  await expect(page.getByTestId('panel-clipping').locator('.barlayer .trace')).toHaveCount(2)
  await expect(page.getByTestId('panel-error-split')).toContainText(/^Error owed to scales.*Without pre-scale, share/s)
  // The sweep is of the variant in use and passes through the number of the table.
  await expect(sweep).toContainText('Pre-scale, literal variant: ')
  const inUse = await page.getByTestId('sqnr-rtn').innerText()
  await sweep.getByText('Show data').click()
  await expect(sweep.getByRole('row', { name: `RTN W4A4 0.72 ${inUse}` })).toHaveCount(1)
  const blocks = page.getByTestId('panel-block-size-sweep')
  await blocks.getByText('Show data').click()
  await expect(blocks.getByRole('row', { name: `RTN W4A4 32 ${inUse}` })).toHaveCount(1)
})

test('on a phone the setting and the Scales view fit without sideways scrolling', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 })
  await page.goto('/#m=rtn&set=custom&wf=int4&af=nvfp4&view=scales')
  await expect(page.getByTestId('scales-rtn')).toHaveAttribute('data-result', 'live', { timeout: 90_000 })
  await expect(page.getByTestId('scales-rtn')).toContainText('no operand has power-of-two scales')
  const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
  expect(await overflow()).toBeLessThanOrEqual(0)
  await page.getByTestId('pane-setup').click()
  await expect(page.getByTestId('setting-activation-four-over-six')).toBeVisible()
  expect(await overflow()).toBeLessThanOrEqual(0)
})
