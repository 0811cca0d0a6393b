import {
  cpSync,
  createReadStream,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { BUILT_IN_LAYERS } from '../src/io/built-in-layers'
import { expect, repoFile, shownError, test, waitForResults } from './support'

const TYPES: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' }
const PREFIX = '/some/folder/'

/** A copy of the built site below a sub-path, which can be changed and switched off. */
let site = ''
let server: Server
let address = ''
let isDown = false

test.beforeAll(async () => {
  site = mkdtempSync(join(tmpdir(), 'mxscope-site-'))
  cpSync(repoFile('dist'), site, { recursive: true })
  server = createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0]
    const file = join(site, path.slice(PREFIX.length) || 'index.html')
    if (isDown) return void request.socket.destroy()
    if (!path.startsWith(PREFIX) || !existsSync(file) || !statSync(file).isFile()) {
      return void response.writeHead(404).end()
    }
    response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' })
    createReadStream(file).pipe(response)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}${PREFIX}`
})
test.afterAll(() => {
  server.close()
  rmSync(site, { recursive: true, force: true })
})

/** Addresses of everything in the caches of the page it runs in. */
async function keptAddresses(): Promise<string[]> {
  const names = await caches.keys()
  const keys = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()))
  return keys.flat().map(({ url }) => url)
}

test.use({
  serviceWorkers: 'allow',
  expectedErrors: { patterns: [/ERR_INTERNET_DISCONNECTED|ERR_CONNECTION|ERR_FAILED/] },
})

test('works from a sub-path, without a network from the second visit on, offers a newer version, and forgets', async ({
  page,
  context,
}) => {
  await page.goto(`${address}#m=rtn`)
  await waitForResults(page, ['rtn'])
  expect(Number(await shownError(page, 'rtn'))).toBeGreaterThan(0)
  await expect(page.getByTestId('tile-rtn').locator('.main-svg').first()).toBeVisible()
  await page.evaluate(() => navigator.serviceWorker.ready)
  for (const { file } of BUILT_IN_LAYERS)
    await expect.poll(() => page.evaluate(keptAddresses)).toContain(`${address}${file}`)

  isDown = true
  await context.setOffline(true)
  await page.reload()
  await waitForResults(page, ['rtn'])
  await expect(page.getByTestId('tile-rtn').locator('.main-svg').first()).toBeVisible()
  await expect(page.getByTestId('offline')).toBeVisible()
  // A layer that was never opened is there as well.
  await page.getByTestId('built-in').selectOption({ label: BUILT_IN_LAYERS[1].label })
  await waitForResults(page, ['rtn'])
  await page.getByTestId('built-in').selectOption({ label: BUILT_IN_LAYERS[0].label })
  await waitForResults(page, ['rtn'])

  isDown = false
  await context.setOffline(false)
  await expect(page.getByTestId('offline')).toHaveCount(0)
  // A newer version: another page, and so another list in the worker.
  writeFileSync(
    join(site, 'index.html'),
    readFileSync(join(site, 'index.html'), 'utf8').replace('<title>', '<title>New '),
  )
  const worker = join(site, 'service-worker.js')
  writeFileSync(worker, readFileSync(worker, 'utf8').replace(/version:"|"version":"/, '$&new'))
  await page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.update())
  const update = page.getByTestId('update')
  await expect(update).toHaveText('New version, reload')
  await expect(page).toHaveTitle('MXScope')
  await update.click()
  await expect(page).toHaveTitle('New MXScope')
  expect(page.url()).toContain('m=rtn')

  await page.getByTestId('privacy-button').click()
  await page.getByTestId('forget-everything').click()
  await expect(page.getByTestId('privacy')).toContainText('Cleared.')
  expect(
    await page.evaluate(async () => [await caches.keys(), await navigator.serviceWorker.getRegistrations()]),
  ).toEqual([[], []])
})
