import { readFileSync } from 'node:fs'
import type { Page } from '@playwright/test'
import { parse } from 'yaml'
import { exportedLayerOf } from './read-export'
import { expect, test, waitForResults } from './support'

const METHODS = ['rtn', 'quarot']

/** The browser's save dialog cannot be driven by a test; without it files come as downloads. */
async function withoutSaveDialog(page: Page): Promise<void> {
  await page.addInitScript(() => {
    Reflect.deleteProperty(window, 'showSaveFilePicker')
  })
}

/** Opens the dialog by its key on a page whose results are there. */
async function openExport(page: Page, fragment: string): Promise<void> {
  await withoutSaveDialog(page)
  await page.goto(`/#m=rtn,quarot&${fragment}`)
  await waitForResults(page, METHODS)
  await page.keyboard.press('e')
  await expect(page.getByTestId('export-dialog')).toBeVisible()
}

/** What a button of the dialog saves. */
async function saved(page: Page, hook: string): Promise<{ name: string; bytes: Buffer }> {
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByTestId(`export-${hook}`).click()])
  return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) }
}

const text = async (page: Page, hook: string) => (await saved(page, hook)).bytes.toString('utf8')

/** Whether `markup` is well-formed, by the browser's own parser; else what is wrong. */
const xmlProblem = (page: Page, markup: string) =>
  page.evaluate(
    (source) =>
      new DOMParser().parseFromString(source, 'image/svg+xml').querySelector('parsererror')?.textContent ?? null,
    markup,
  )

/** Lines of comma-separated values; no cell that is read here has quotes. */
function csvColumns(csv: string): Record<string, string>[] {
  const [head, ...lines] = csv
    .trimEnd()
    .split('\r\n')
    .map((line) => line.split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/))
  return lines.map((cells) => Object.fromEntries(head.map((name, at) => [name, cells[at]])))
}

test('the quantized layer is a file that reads back as the engine says, with what runs online beside it', async ({
  page,
}) => {
  await openExport(page, 'pre=0')
  await page.getByTestId('export-method').selectOption('quarot')
  await page.getByTestId('export-prepare').click()
  await expect(page.getByTestId('export-layer')).toBeVisible({ timeout: 60_000 })
  await expect(page.getByTestId('export-warnings')).toContainText('hadamard')
  const { name, bytes } = await saved(page, 'layer')
  expect(name).toBe('model.layers.2.self_attn.q_proj-W4A4-quarot-mxfp4-compressed-tensors.safetensors')
  const packed = await exportedLayerOf(bytes)
  expect(packed.shape).toEqual([192, 192])
  expect(packed.names.filter((each) => each.includes('.mxscope.')).length).toBeGreaterThan(0)
  const config = JSON.parse(await text(page, 'config')).quantization_config
  expect(config.config_groups.group_0.weights).toMatchObject({ num_bits: 4, group_size: 32 })

  await page.getByTestId('export-layout').selectOption('dequantized-f32')
  await page.getByTestId('export-prepare').click()
  await expect(page.getByTestId('export-layer')).toBeVisible({ timeout: 60_000 })
  const decoded = await exportedLayerOf((await saved(page, 'layer')).bytes)
  expect(decoded.values).toEqual(packed.values)
  // Codes of MXFP4 under a power of two: few values, and not all of them zero.
  expect(new Set(decoded.values).size).toBeLessThan(200)
  expect(decoded.values.filter((value) => value !== 0).length).toBeGreaterThan(10_000)
})

/** Every file that the dialog writes beside the layer, each saved once. */
const FILES = ['csv', 'json', 'cite', 'recipe', 'python', 'svg', 'png', 'plotly', 'report'] as const

test('recipe, script, table and report agree with the page, no request leaves, and Escape closes', async ({
  page,
  context,
}) => {
  await openExport(page, 'seed=4')
  // The dialog opens on the best method.
  await expect(page.getByTestId('export-method')).toHaveValue('rtn')
  await page.getByTestId('export-method').selectOption('quarot')
  await saved(page, 'csv')
  const requests: string[] = []
  page.on('request', (request) => requests.push(request.url()))
  const files: Record<string, { name: string; text: string }> = {}
  for (const hook of FILES) {
    const { name, bytes } = await saved(page, hook)
    files[hook] = { name, text: bytes.toString('utf8') }
  }
  expect(requests.filter((url) => !/^(?:data|blob):/.test(url))).toEqual([])

  const [yaml, python] = [files.recipe.text, files.python.text]
  const modifiers = Object.keys(parse(yaml).quant_stage.quant_modifiers)
  expect(modifiers).toEqual(['SpinQuantModifier', 'QuantizationModifier'])
  const flat = (source: string) => source.replaceAll(/\n#\s+/g, ' ')
  const said = await page.getByTestId('export-deviations').locator('li').allInnerTexts()
  expect(said.length).toBeGreaterThan(2)
  for (const deviation of said) {
    expect(flat(yaml)).toContain(deviation)
    expect(flat(python)).toContain(deviation)
  }
  expect(python).toContain(yaml)

  await page.keyboard.press('Escape')
  await expect(page.getByTestId('export-dialog')).toHaveCount(0)
  const rows = csvColumns(files.csv.text)
  expect(rows.map(({ method }) => method)).toEqual(METHODS)
  for (const { method, ...numbers } of rows) {
    const shown = page.getByTestId(`relative-error-${method}`)
    await expect(shown).toHaveText(Number(numbers['evaluation.outputRelativeError']).toFixed(4))
    await expect(page.getByTestId(`sqnr-${method}`)).toHaveText(Number(numbers['evaluation.outputSqnrDb']).toFixed(1))
    expect(numbers.seed).toBe('4')
  }
  expect(files.report.name).toBe('model.layers.2.self_attn.q_proj-W4A4-report.html')
  await checkReport(await context.newPage(), files.report.text, await page.getByTestId('answer').innerText())
})

/** One page without script or reference that says it all. */
async function checkReport(report: Page, html: string, answer: string): Promise<void> {
  expect(html).not.toMatch(/<script/i)
  expect(html).not.toMatch(/\ssrc=|@import|<link\b|<iframe\b|url\((?!['"]?#|&quot;#)/i)
  const requests: string[] = []
  report.on('request', ({ url }) => requests.push(url()))
  await report.setContent(html)
  expect(requests.filter((url) => !url.startsWith('data:'))).toEqual([])
  await expect(report.locator('.answer')).toHaveText(answer)
  await expect(report.locator('figure svg path.js-line').first()).toBeVisible()
  await expect(report.locator('figure')).toHaveCount(2)
  await expect(report.locator('tbody th')).toHaveText(['RTN', 'QuaRot'])
  expect(await report.locator('a').getAttribute('href')).toContain('seed=4')
  const pdf = (await report.pdf({ preferCSSPageSize: true })).toString('latin1')
  expect(pdf.match(/\/Type\s*\/Page\b/g)?.length).toBeLessThanOrEqual(2)
}

/** The cells of the table that are measured: saved results come without the published column. */
const measured = (page: Page) =>
  page
    .locator('section[aria-label="Results"] tr')
    .evaluateAll((rows) =>
      rows.map((row) =>
        [...row.querySelectorAll<HTMLElement>('th, td')]
          .filter(({ dataset }) => dataset.column !== 'paper')
          .map(({ innerText }) => innerText),
      ),
    )

test('results reopen without the weights: same figures, same table, nothing computed', async ({ page, context }) => {
  await openExport(page, 'seed=3')
  const { name, bytes } = await saved(page, 'json')
  await page.getByTestId('export-close').click()
  const numbers = await measured(page)
  const answer = await page.getByTestId('answer').innerText()

  const fresh = await context.newPage()
  await withoutSaveDialog(fresh)
  await fresh.goto('/#m=rtn')
  await waitForResults(fresh, ['rtn'])
  const file = { name, mimeType: 'application/json', buffer: bytes }
  await fresh.locator('input[type=file]').first().setInputFiles(file)
  await expect(fresh.getByTestId('saved-note')).toContainText(name)
  await waitForResults(fresh, METHODS)
  expect(await measured(fresh)).toEqual(numbers)
  expect((await fresh.getByTestId('answer').innerText()).split(': ')[1]).toBe(answer.split(': ')[1])
  await expect(fresh.locator('[data-test="tile-quarot"] [data-drawing="drawn"]')).toBeVisible()
  await expect(fresh.locator('body')).toHaveAttribute('data-state', 'ready')

  await fresh.getByTestId('view-blocks').click()
  await expect(fresh.getByText('looks into the layer itself, which is not open')).toBeVisible()
  await fresh.getByTestId('saved-open-layer').click()
  await expect(fresh.getByTestId('saved-note')).toHaveCount(0)
  await expect(fresh).toHaveURL(/seed=3/)
  await waitForResults(fresh, METHODS)
  expect(await fresh.getByTestId('relative-error-quarot').innerText()).toBe(
    await page.getByTestId('relative-error-quarot').innerText(),
  )

  const newer = bytes.toString('utf8').replace('mxscope.results/1', 'mxscope.results/9')
  const refused = { name: 'newer.json', mimeType: 'application/json', buffer: Buffer.from(newer) }
  await fresh.locator('input[type=file]').first().setInputFiles(refused)
  await expect(fresh.getByTestId('banner-RF-02')).toContainText('newer MXScope')
  await expect(fresh.getByTestId('tile-rtn')).toHaveAttribute('data-result', 'live')
})

test('figures are SVG that stands alone with their titles, in light colours from a dark page too', async ({ page }) => {
  await openExport(page, 'th=dark')
  const svg = await text(page, 'svg')
  expect(await xmlProblem(page, svg)).toBeNull()
  expect(svg).toContain('<title>Distribution: Llama layer with outlier channels, W4A4</title>')
  for (const method of ['● RTN', '▲ QuaRot']) expect(svg).toMatch(new RegExp(`<title>${method} · [\\d.]+ dB`))
  expect(svg).toMatch(/<rect [^>]*fill="#FFFFFF"/)
  // QuaRot's colour of the light theme, and not that of the dark one.
  expect(svg).toContain('rgb(232, 112, 33)')
  expect(svg).not.toContain('rgb(213, 3, 22)')
  expect(svg).not.toMatch(/(?:href|src)="(?!data:|#)/)
  // The page itself is dark still.
  const paper = await page.evaluate(() => getComputedStyle(document.body).backgroundColor)
  expect(paper).toBe('rgb(26, 27, 30)')

  const png = (await saved(page, 'png')).bytes
  expect(png.subarray(1, 4).toString()).toBe('PNG')
  const [width] = /width="(\d+)"/.exec(svg)?.slice(1).map(Number) ?? [0]
  expect(png.readUInt32BE(16)).toBe(2 * width)

  await page.getByTestId('export-size').getByText('Print').click()
  const printed = await text(page, 'svg')
  expect(printed).toMatch(/<svg [^>]*width="170mm"/)
  expect((await saved(page, 'png')).bytes.readUInt32BE(16)).toBe(Math.round((170 / 25.4) * 300))

  const { figures } = JSON.parse(await text(page, 'plotly'))
  expect(figures).toHaveLength(2)
  expect(figures[0].data[0].y.length).toBeGreaterThan(100)
})

test('surfaces are images inside the SVG', async ({ page }) => {
  await openExport(page, 'view=surface&ax=3d')
  const svg = await text(page, 'svg')
  expect(await xmlProblem(page, svg)).toBeNull()
  expect(svg.match(/<image [^>]*href="data:image\/png;base64,/g)?.length).toBe(2)
})

test('the save dialog of the browser gets the name, and a file that is whole when it is closed', async ({ page }) => {
  await page.addInitScript(() => {
    const written: { name: string; size: number; closed: boolean }[] = []
    const picker = async ({ suggestedName }: { suggestedName: string }) => {
      const entry = { name: suggestedName, size: 0, closed: false }
      written.push(entry)
      return {
        createWritable: async () => ({
          write: async (blob: Blob) => {
            entry.size = blob.size
          },
          close: async () => {
            entry.closed = true
          },
          abort: async () => undefined,
        }),
      }
    }
    Object.assign(window, { showSaveFilePicker: picker, written })
  })
  await page.goto('/#m=rtn')
  await waitForResults(page, ['rtn'])
  await page.getByTestId('export').click()
  await page.getByTestId('export-csv').click()
  await expect(page.getByTestId('export-group-data').getByRole('status')).toContainText('Saved')
  const written = await page.evaluate(() => Reflect.get(window, 'written'))
  expect(written).toEqual([
    { name: 'model.layers.2.self_attn.q_proj-W4A4-results.csv', size: expect.any(Number), closed: true },
  ])
  expect(written[0].size).toBeGreaterThan(300)
})

test('on a phone the dialog fills the screen and nothing scrolls sideways', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 })
  await page.goto('/#m=rtn')
  await waitForResults(page, ['rtn'])
  await page.getByTestId('export').click()
  const dialog = page.getByTestId('export-dialog')
  await expect(dialog).toBeVisible()
  expect(await dialog.evaluate((element) => element.scrollWidth - element.clientWidth)).toBeLessThanOrEqual(0)
  expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0)
})
