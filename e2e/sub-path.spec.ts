import { createReadStream, existsSync, statSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname } from 'node:path'
import { expect, repoFile, shownError, test, waitForResults } from './support'

const TYPES: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' }
const PREFIX = '/some/folder/'

/** Serves dist/ below a sub-path, as a project page on a static host is; anything else is 404. */
let server: Server
test.beforeAll(async () => {
  server = createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0]
    const file = repoFile(`dist/${path.slice(PREFIX.length) || 'index.html'}`)
    if (!path.startsWith(PREFIX) || !existsSync(file) || !statSync(file).isFile()) {
      response.writeHead(404).end()
      return
    }
    response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' })
    createReadStream(file).pipe(response)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
})
test.afterAll(() => server.close())

test('the built site works from a sub-path: worker, layers and figures included', async ({ page }) => {
  const { port } = server.address() as AddressInfo
  await page.goto(`http://127.0.0.1:${port}${PREFIX}#m=rtn`)
  await waitForResults(page, ['rtn'])
  expect(Number(await shownError(page, 'rtn'))).toBeGreaterThan(0)
  await expect(page.getByTestId('tile-rtn').locator('.main-svg').first()).toBeVisible()
})
