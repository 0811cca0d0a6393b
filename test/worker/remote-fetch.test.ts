import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createPortFetch, serveFetch } from '../../src/worker/remote-fetch'

const BYTES = Uint8Array.from({ length: 300_000 }, (_, i) => i % 251)

let server: Server
let address: string
let remote: typeof fetch
let seen: string[] = []
let closed: () => void

beforeAll(async () => {
  server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers.range ?? ''}`.trim())
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')
    if (request.url === '/file') {
      const [start, end] = range ? [Number(range[1]), Number(range[2])] : [0, BYTES.length - 1]
      const headers = { 'content-range': `bytes ${start}-${end}/${BYTES.length}`, etag: '"a"' }
      response.writeHead(range ? 206 : 200, range ? headers : {}).end(BYTES.subarray(start, end + 1))
    } else if (request.url === '/moved') response.writeHead(302, { location: '/file' }).end()
    else if (request.url === '/cut') {
      response.writeHead(200, { 'content-length': '1000' })
      response.write('half')
      setTimeout(() => response.destroy(), 20)
    } else if (request.url === '/slow') {
      response.writeHead(200)
      response.write('first')
      response.on('close', () => closed())
    } else response.writeHead(404, 'Not Found').end('no')
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})
beforeEach(({ onTestFinished }) => {
  seen = []
  const { port1, port2 } = new MessageChannel()
  serveFetch(port1, fetch)
  remote = createPortFetch(port2)
  onTestFinished(() => port1.close())
})

describe('a request through the port', () => {
  it('comes back with status, headers and all its bytes', async () => {
    const response = await remote(`${address}/file`)
    expect([response.status, response.url, response.redirected]).toEqual([200, `${address}/file`, false])
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(BYTES)
  })

  it('passes a byte range on', async () => {
    const response = await remote(`${address}/file`, { headers: { Range: 'bytes=10-19' } })
    expect(response.status).toBe(206)
    expect(response.headers.get('content-range')).toBe('bytes 10-19/300000')
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(BYTES.subarray(10, 20))
    expect(seen).toEqual(['GET /file bytes=10-19'])
  })

  it('says where a redirect led', async () => {
    const response = await remote(`${address}/moved`, { method: 'HEAD' })
    expect([response.url, response.redirected, response.body]).toEqual([`${address}/file`, true, null])
  })

  it('can be answered by an error status', async () => {
    const response = await remote(`${address}/nothing`)
    expect([response.status, response.ok, await response.text()]).toEqual([404, false, 'no'])
  })

  it('runs beside others without mixing their bytes', async () => {
    const ranges = [0, 1, 2, 3].map((i) => `bytes=${i * 70_000}-${i * 70_000 + 69_999}`)
    const parts = await Promise.all(
      ranges.map(async (Range) => (await remote(`${address}/file`, { headers: { Range } })).arrayBuffer()),
    )
    parts.forEach((part, i) => {
      expect(new Uint8Array(part)).toEqual(BYTES.subarray(i * 70_000, (i + 1) * 70_000))
    })
  })
})

describe('a request that fails', () => {
  it('rejects like fetch where nobody answers', async () => {
    await expect(remote('http://127.0.0.1:9/file')).rejects.toBeInstanceOf(TypeError)
  })

  it('fails in its body where the connection is cut', async () => {
    const response = await remote(`${address}/cut`)
    await expect(response.arrayBuffer()).rejects.toBeInstanceOf(TypeError)
  })

  it('is refused at the other end unless it only reads', async () => {
    await expect(remote(`${address}/file`, { method: 'POST', body: 'weights' })).rejects.toThrow(
      'expected GET or HEAD, found POST',
    )
    expect(seen).toEqual([])
  })
})

describe('cancelling', () => {
  it('before the request sends nothing', async () => {
    await expect(remote(`${address}/file`, { signal: AbortSignal.abort() })).rejects.toThrow('aborted')
    expect(seen).toEqual([])
  })

  it('in the middle of the body ends it on both sides', async () => {
    const gone = new Promise<void>((done) => {
      closed = done
    })
    const controller = new AbortController()
    const response = await remote(`${address}/slow`, { signal: controller.signal })
    const reader = response.body?.getReader()
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('first')
    controller.abort()
    await expect(reader?.read()).rejects.toThrow('aborted')
    await gone
  })
})
