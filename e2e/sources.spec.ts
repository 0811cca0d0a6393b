import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { CONFIG, INDEX, npyFile, SHARD_NAMES, SHARDS } from './source-files'
import { expect, seriousViolations, shownError, test, waitForResults } from './support'

const START = '/#m=rtn'

async function opened(page: Page): Promise<void> {
  await page.goto(START)
  await waitForResults(page, ['rtn'])
}
const drop = (page: Page, files: Parameters<ReturnType<Page['locator']>['setInputFiles']>[0]) =>
  page.locator('input[type=file]').first().setInputFiles(files)
const files = (page: Page) => page.getByTestId('open-files')

test('shards and their index are one model; the norm before a weight shapes its activations', async ({ page }) => {
  await opened(page)
  await drop(page, [INDEX, ...SHARDS, CONFIG])
  await expect(files(page)).toContainText('2 files, 6 tensors')
  await expect(page.getByTestId('answer')).toContainText('model › model.layers.0.self_attn.q_proj', { timeout: 60_000 })
  await waitForResults(page, ['rtn'])
  await expect(page.getByTestId('conditions')).toContainText('gain of model.layers.0.input_layernorm.weight')
  const modules = page.getByTestId('tensor-module')
  await expect(modules).toHaveCount(2)
  const rows = page.getByTestId('tensor-row')
  await expect(rows).toHaveCount(6)
  await modules.first().click()
  await expect(rows).toHaveCount(4)
  await page.locator('[data-tensor="model.layers.1.self_attn.o_proj.weight"]').click()
  await waitForResults(page, ['rtn'])
  await expect(page.getByTestId('conditions')).not.toContainText('gain of')
  expect(await page.evaluate(() => location.hash)).toContain(`src=file:${SHARD_NAMES[1]},`)
  expect(await seriousViolations(page)).toEqual([])
})

test('a missing shard is named, the rest is used, and the shard can come later; statistics come when they are asked for', async ({
  page,
}) => {
  await opened(page)
  await drop(page, [INDEX, SHARDS[1]])
  const note = page.getByTestId('banner-IX-03')
  await expect(note).toContainText(`1 of 2 shards missing: ${SHARD_NAMES[0]}. 3 of 6 tensors can be opened.`)
  await waitForResults(page, ['rtn'])
  const before = await shownError(page, 'rtn')
  await drop(page, SHARDS[0])
  await expect(files(page)).toContainText('2 files, 6 tensors')
  await expect(note).toHaveCount(0)
  await waitForResults(page, ['rtn'])
  expect(await shownError(page, 'rtn')).toBe(before)

  const row = page.locator('li', { has: page.locator('[data-tensor="model.layers.0.input_layernorm.weight"]') })
  await row.getByTestId('tensor-details').click()
  const statistics = page.getByTestId('tensor-statistics')
  await expect(statistics).toContainText('Elements128')
  await expect(statistics).toContainText('Not finitenone')
  const values = new Float32Array(
    SHARDS[0].buffer.buffer.slice(SHARDS[0].buffer.byteOffset).slice(-4 * (2 * 128 * 128 + 128)),
  )
  const largest = Math.max(...values.subarray(0, 128))
  await expect(statistics).toContainText(`Maximum${largest.toPrecision(4)}`)
  expect(await seriousViolations(page)).toEqual([])
})

test('a folder is searched for what is ours', async ({ page }) => {
  const folder = mkdtempSync(join(tmpdir(), 'mxscope-folder-'))
  try {
    for (const { name, buffer } of [INDEX, CONFIG, ...SHARDS]) writeFileSync(join(folder, name), buffer)
    for (const name of ['tokenizer.json', 'README.md']) writeFileSync(join(folder, name), '{}')
    writeFileSync(join(folder, 'picture.png'), 'x')
    await opened(page)
    await page.getByTestId('folder').setInputFiles(folder)
    await expect(files(page)).toContainText('2 files, 6 tensors')
    await expect(page.getByTestId('banner-IO-04')).toHaveText(/Not opened: "picture.png"\. Expected/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('a NumPy array is the activations of the layer that is open, and its rows can be chosen', async ({ page }) => {
  await opened(page)
  await drop(page, SHARDS[0])
  await waitForResults(page, ['rtn'])
  await drop(page, npyFile('x.npy', 96, 128))
  await expect(page.getByTestId('rail-summary-activations')).toHaveText('captured · 48 + 48 rows')
  await page.getByTestId('rail-activations').click()
  await expect(page.getByTestId('source-tensor')).toContainText('96 × 128')
  await expect(page.getByTestId('rows')).toContainText('48 (0–47) calibrate')
  await page.getByTestId('rows-start').focus()
  for (let i = 0; i < 4; i++) await page.keyboard.press('ArrowRight')
  await page.getByTestId('rows-split').focus()
  await page.keyboard.press('PageUp')
  await expect(page.getByTestId('rows')).toContainText('56 (4–59) calibrate')
  await expect(page.getByTestId('rows')).toContainText('36 (60–95) evaluate · 4 unused')
  const edge = await page.getByTestId('rows-end').boundingBox()
  const bar = await page.getByTestId('rows-evaluation').boundingBox()
  if (!edge || !bar) throw new Error('the bar of the rows is not drawn')
  await page.mouse.move(edge.x + edge.width / 2, edge.y + edge.height / 2)
  await page.mouse.down()
  await page.mouse.move(bar.x + bar.width / 2, edge.y, { steps: 4 })
  await page.mouse.up()
  await expect(page.getByTestId('rows')).toContainText(/\d\d unused/)
  const end = await page.getByTestId('rows-end').getAttribute('aria-valuenow')
  await expect.poll(() => page.evaluate(() => location.hash)).toContain(`rows=4-${end}`)
  const link = await page.evaluate(() => location.hash)
  await waitForResults(page, ['rtn'])
  const error = await shownError(page, 'rtn')
  await page.goto('about:blank')
  await page.goto(`/${link}`)
  await expect(page.getByTestId('banner-LK-01')).toContainText('"x.npy"')
  await drop(page, [SHARDS[0], npyFile('x.npy', 96, 128)])
  await waitForResults(page, ['rtn'])
  expect(await shownError(page, 'rtn')).toBe(error)
})

test('files are offered again after a reload where the browser keeps handles', async ({ page }) => {
  await opened(page)
  // The picker itself cannot be driven; its answer, a handle of a real file, can be given.
  await page.evaluate(
    async (bytes) => {
      const folder = await navigator.storage.getDirectory()
      const handle = await folder.getFileHandle('mine.safetensors', { create: true })
      const writable = await handle.createWritable()
      await writable.write(Uint8Array.from(bytes))
      await writable.close()
      Object.assign(window, { showOpenFilePicker: async () => [handle] })
    },
    [...SHARDS[0].buffer],
  )
  await page.getByTestId('drop').getByRole('button', { name: 'Open' }).click()
  await expect(files(page)).toContainText('mine.safetensors')
  await waitForResults(page, ['rtn'])
  const error = await shownError(page, 'rtn')
  await page.reload()
  await expect(page.getByTestId('banner-LK-01')).toContainText('mine.safetensors')
  await page.getByTestId('reopen').getByRole('button', { name: 'Reopen mine.safetensors' }).click()
  await waitForResults(page, ['rtn'])
  expect(await shownError(page, 'rtn')).toBe(error)
})

test.describe('a server', () => {
  // Of the request that the policy refuses.
  test.use({ expectedErrors: { patterns: [/Content Security Policy/, /ERR_BLOCKED_BY_CSP/] } })
  let server: Server
  let address = ''
  let seen: string[] = []
  let release: () => void = () => undefined
  const BYTES = SHARDS[0].buffer

  const headers = {
    'access-control-allow-origin': '*',
    'access-control-expose-headers': 'content-range, etag, content-length',
  }
  const sendRange = (response: ServerResponse, range: string) => {
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? []
    const [start, end] = [Number(from), Math.min(Number(to), BYTES.length - 1)]
    const part = BYTES.subarray(start, end + 1)
    response.writeHead(206, { ...headers, 'content-range': `bytes ${start}-${end}/${BYTES.length}` }).end(part)
  }

  test.beforeAll(async () => {
    server = createServer((request, response) => {
      const { url = '', headers: asked } = request
      seen.push(`${url} ${asked.range ?? ''}`)
      if (url === '/layer.safetensors') sendRange(response, asked.range ?? '')
      else if (url === '/whole.safetensors') {
        response.writeHead(200, { ...headers, 'content-length': String(BYTES.length) }).end(BYTES)
      } else if (url === '/closed.safetensors') response.writeHead(200).end(BYTES)
      else if (url === '/slow.safetensors') release = () => sendRange(response, asked.range ?? '')
      else response.writeHead(404, headers).end('no')
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  test.afterAll(() => {
    server.closeAllConnections()
    server.close()
  })
  test.beforeEach(() => {
    seen = []
  })

  const fetchFrom = async (page: Page, text: string) => {
    await page.getByTestId('address').fill(text)
    await page.getByTestId('open-address').click()
  }

  test('with range requests gives the header and the chosen tensors, and stands in the link', async ({ page }) => {
    await opened(page)
    await fetchFrom(page, `${address}/layer.safetensors`)
    await expect(files(page)).toContainText('layer.safetensors')
    await waitForResults(page, ['rtn'])
    const error = await shownError(page, 'rtn')
    // Header and small parts in one request, and not a byte of the other matrix.
    const bytes = seen
      .map((each) => /bytes=(\d+)-(\d+)/.exec(each))
      .map((match) => Number(match?.[2]) - Number(match?.[1]) + 1)
    expect(bytes.reduce((sum, count) => sum + count, 0)).toBeLessThan(65_536 + 4 * (128 * 128 + 128) + 1)
    // It is counted, and the engine that has the files still cannot reach it.
    await expect(page.getByTestId('requests')).toContainText(/[1-9]\d* to other sites/)
    const engine = page.workers().find((worker) => worker.url().startsWith('blob:'))
    const outcome = await engine?.evaluate(
      (target) =>
        fetch(target).then(
          () => 'sent',
          () => 'refused',
        ),
      `${address}/layer.safetensors?from=engine`,
    )
    expect(outcome).toBe('refused')
    expect(seen.filter((each) => each.includes('from=engine'))).toEqual([])
    const link = await page.evaluate(() => location.hash)
    seen = []
    await page.goto('about:blank')
    await page.goto(`/${link}`)
    await expect(page.getByTestId('banner-LK-01')).toContainText('layer.safetensors')
    expect(seen).toEqual([])
    await page.getByTestId('open-linked').click()
    await waitForResults(page, ['rtn'])
    expect(await shownError(page, 'rtn')).toBe(error)
  })

  test('can be cancelled while it is slow; a pasted address is opened', async ({ page }) => {
    await opened(page)
    await fetchFrom(page, `${address}/slow.safetensors`)
    await expect(page.getByTestId('opening')).toContainText('slow.safetensors')
    await page.getByTestId('opening').getByRole('button', { name: 'Cancel' }).click()
    await expect(page.getByTestId('opening')).toHaveCount(0)
    release()
    await expect(files(page)).toHaveCount(0)
    await expect(page.getByTestId('tile-rtn')).toHaveAttribute('data-result', 'live')
    await page.evaluate((text) => {
      const clipboardData = new DataTransfer()
      clipboardData.setData('text/plain', text)
      document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true }))
    }, `${address}/layer.safetensors`)
    await expect(files(page)).toContainText('layer.safetensors')
  })

  test.describe('that cannot be read', () => {
    test.use({ expectedErrors: { patterns: [/Failed to load resource/, /CORS policy/] } })

    test('says why, beside the field, and the layer stays', async ({ page }) => {
      await opened(page)
      const before = await shownError(page, 'rtn')
      for (const [from, code, says] of [
        [`${address}/whole.safetensors`, 'HT-08', /range/],
        [`${address}/absent.safetensors`, 'HT-06', /404/],
        ['not an address', 'HB-01', 'expected org/name'],
        ['http://127.0.0.1:9/x.safetensors', 'HT-02', 'no answer'],
        [`${address}/closed.safetensors`, 'HT-03', 'CORS'],
      ] as const) {
        await fetchFrom(page, from)
        await expect(page.getByTestId(`banner-${code}`)).toContainText(says)
        expect(await shownError(page, 'rtn')).toBe(before)
      }
    })
  })
})

test('works at 390 px', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 })
  await opened(page)
  await drop(page, [INDEX, ...SHARDS])
  await page.getByRole('button', { name: 'Layer', exact: true }).click()
  await expect(files(page)).toContainText('2 files')
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
  expect(wide).toBe(0)
  expect(await seriousViolations(page)).toEqual([])
})
