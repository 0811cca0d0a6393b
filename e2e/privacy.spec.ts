import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test, waitForResults } from './support'

/** A server on another origin that welcomes everything and counts what arrives. */
let server: Server
let address = ''
let hits: string[] = []

test.beforeAll(async () => {
  server = createServer((request, response) => {
    hits.push(`${request.method} ${request.url}`)
    response.writeHead(200, { 'access-control-allow-origin': '*' }).end('ok')
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
test.afterAll(() => server.close())
test.beforeEach(() => {
  hits = []
})

test.use({ expectedErrors: { patterns: [/Content Security Policy/, /ERR_BLOCKED_BY_CSP/] } })

test('neither the page nor its worker, where the weights are, can send anything to another origin', async ({
  page,
}) => {
  await page.goto('/#m=rtn')
  await waitForResults(page, ['rtn'])
  const workers = page.workers()
  expect(workers.length).toBeGreaterThanOrEqual(1)
  for (const worker of workers) {
    const outcome = await worker.evaluate(async (target) => {
      try {
        await fetch(`${target}/worker`)
        return 'sent'
      } catch {
        return 'refused'
      }
    }, address)
    expect(outcome).toBe('refused')
  }
  const refused = await page.evaluate(async (target) => {
    const ways: string[] = []
    addEventListener('securitypolicyviolation', (event) => ways.push(event.effectiveDirective))
    const attempt = async (send: () => unknown) => {
      try {
        await send()
      } catch {}
    }
    await attempt(() => fetch(`${target}/fetch`))
    await attempt(() => navigator.sendBeacon(`${target}/beacon`, 'x'))
    await attempt(() => new WebSocket(target.replace('http', 'ws')))
    await attempt(() => new EventSource(`${target}/events`))
    const image = new Image()
    image.src = `${target}/image`
    document.body.style.backgroundImage = `url(${target}/background)`
    const script = document.createElement('script')
    script.src = `${target}/script`
    const frame = document.createElement('iframe')
    frame.src = `${target}/frame`
    const form = document.createElement('form')
    form.action = `${target}/form`
    form.method = 'post'
    form.target = '_blank'
    document.body.append(script, frame, form)
    form.submit()
    await new Promise((done) => setTimeout(done, 1500))
    return ways
  }, address)
  expect(hits).toEqual([])
  expect(refused.filter((way) => way === 'connect-src').length).toBeGreaterThanOrEqual(4)
  expect(refused).toContain('img-src')
  expect(refused).toContain('script-src-elem')
})
