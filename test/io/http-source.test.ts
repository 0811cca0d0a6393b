import { afterAll, beforeAll, expect, test } from 'vitest'
import { FileError, isAbort } from '../../src/core/errors'
import { openHttpSource, READ_AHEAD } from '../../src/io/http-source'
import { readTensors } from '../../src/io/read-tensors'
import { readTensorBytes } from '../../src/io/tensor-bytes'
import { entry, fileOf, floats, layerFile } from '../support/make-files'
import {
  changesETag,
  claimsRange,
  cuts,
  type Fault,
  gzips,
  ignoresRanges,
  partHeaders,
  type RangeServer,
  stalls,
  startRangeServer,
  status,
} from '../support/range-server'

let server: RangeServer
beforeAll(async () => {
  server = await startRangeServer()
})
afterAll(() => server.close())

const LENGTH = 300_000
const bytes = Uint8Array.from({ length: LENGTH }, (_, i) => (i * 31 + (i >> 8)) & 255)
let paths = 0

/** Serves the test file under an address of its own. */
const serve = (fault?: Fault, file: Uint8Array = bytes) => server.serve(`/f${paths++}/model.bin`, file, fault)

async function errorOf(work: Promise<unknown>): Promise<FileError> {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(FileError)
  return error as FileError
}

const open = (url: string) => openHttpSource(url, { fetch })

test('opens with one request, and reads the rest by exact ranges', async () => {
  const url = serve()
  const before = server.seen.length
  const source = await open(`${url}?signature=secret`)
  expect([source.name, source.byteLength]).toEqual(['model.bin', LENGTH])
  expect(new Uint8Array(await source.slice(100, 5000))).toEqual(bytes.slice(100, 5000))
  expect(server.seen.length - before).toBe(1)
  expect(new Uint8Array(await source.slice(READ_AHEAD - 10, READ_AHEAD + 10))).toEqual(
    bytes.slice(READ_AHEAD - 10, READ_AHEAD + 10),
  )
  expect(new Uint8Array(await source.slice(200_000, 200_001))).toEqual(bytes.slice(200_000, 200_001))
  expect(server.seen.slice(before).map(({ range }) => range)).toEqual([
    `bytes=0-${READ_AHEAD - 1}`,
    `bytes=${READ_AHEAD}-${READ_AHEAD + 9}`,
    'bytes=200000-200000',
  ])
})

test('a layer costs its header and the tensors that are read, nothing else', async () => {
  const [big, small] = [floats(200_000, 1), floats(4096, 2)]
  const end = big.length + small.length
  const header = `{${entry('big', 'F32', [200_000], [0, big.length])},${entry('w', 'F32', [64, 64], [big.length, end])}}`
  const file = fileOf(header, Buffer.concat([big, small]))
  const before = server.seen.length
  const source = await open(serve(undefined, file))
  const { tensors } = await readTensors(source)
  expect(server.seen.length - before).toBe(1)
  expect(new Uint8Array(await readTensorBytes(source, tensors[1]))).toEqual(new Uint8Array(small))
  expect(server.seen.at(-1)?.range).toBe(`bytes=${file.length - small.length}-${file.length - 1}`)
  expect(server.seen.length - before).toBe(2)
})

test('a header longer than the first request costs a second one', async () => {
  const members = Array.from({ length: 2000 }, (_, i) => entry(`model.layers.${i}.w`, 'U8', [1], [i, i + 1]))
  const file = fileOf(`{${members.join(',')}}`, 2000)
  const before = server.seen.length
  const { tensors } = await readTensors(await open(serve(undefined, file)))
  expect(tensors).toHaveLength(2000)
  expect(server.seen.length - before).toBe(2)
})

test('an empty file and one shorter than the first request open', async () => {
  expect((await open(serve(undefined, new Uint8Array(0)))).byteLength).toBe(0)
  const short = await open(serve(undefined, bytes.slice(0, 10)))
  expect(new Uint8Array(await short.slice(0, 10))).toEqual(bytes.slice(0, 10))
})

test('a server without ranges is good enough for a short file and refused for a long one', async () => {
  const file = layerFile({ out: 32, in: 32, tokens: 8 })
  const { tensors } = await readTensors(await open(serve(ignoresRanges, file)))
  expect(tensors.map(({ name }) => name)).toEqual(['block.q_proj.input', 'block.q_proj.weight'])
  const error = await errorOf(open(serve(ignoresRanges)))
  expect(error.code).toBe('HT-08')
  expect(error.message).toMatch(
    /model\.bin: expected a part of the file \(206\), the server sends the whole file, 300 kB/,
  )
})

test.each([
  ['ftp://x/y', 'HT-01', 'address "ftp://x/y": expected http:// or https://, found ftp://.'],
  ['model', 'HT-01', 'address "model": expected http:// or https://, found no address.'],
  ['https://me:pass@x/y', 'HT-01', 'address "https://x/y": expected no name and password in it.'],
])('%s is no address to read from', async (url, code, message) => {
  expect(await errorOf(open(url))).toMatchObject({ code, message })
})

test('a server that does not answer', async () => {
  const gone = await startRangeServer()
  const { origin } = gone
  await gone.close()
  expect(await errorOf(open(`${origin}/x`))).toMatchObject({
    code: 'HT-02',
    message: `${origin}/x: no answer (ECONNREFUSED). Check the address and the connection.`,
  })
})

test.each([
  [401, 'HT-05', 'reading is not allowed (401 Unauthorized)'],
  [403, 'HT-05', 'reading is not allowed (403 Forbidden)'],
  [404, 'HT-06', 'no such file (404 Not Found)'],
  [410, 'HT-06', 'no such file (410 Gone)'],
  [429, 'HT-07', 'found 429 Too Many Requests: too many requests'],
  [500, 'HT-07', 'found 500 Internal Server Error: a fault of the server'],
  [503, 'HT-07', 'found 503 Service Unavailable: a fault of the server'],
  [400, 'HT-07', 'found 400 Bad Request: the server refuses'],
])('status %d is %s', async (code, expected, text) => {
  const error = await errorOf(open(serve(status(code))))
  expect(error.code).toBe(expected)
  expect(error.message).toContain(text)
})

test('a redirect to the file is followed for every range', async () => {
  const target = serve()
  const from = server.serve('/moved/x.safetensors', new Uint8Array(1), status(302, { Location: target }))
  const source = await open(from)
  expect(source.name).toBe('x.safetensors')
  expect(new Uint8Array(await source.slice(100_000, 100_100))).toEqual(bytes.slice(100_000, 100_100))
  expect(server.seen.filter(({ path }) => path === '/moved/x.safetensors')).toHaveLength(2)
})

test('a redirect to a page, and one in a circle, are told apart from the file', async () => {
  const page = server.serve(
    '/login',
    Buffer.from('<html>'),
    status(200, { 'Content-Type': 'text/html; charset=utf-8' }),
  )
  const toPage = server.serve('/private', new Uint8Array(1), status(302, { Location: page }))
  expect(await errorOf(open(toPage))).toMatchObject({
    code: 'HT-04',
    message: `${toPage}: expected the file, was redirected to a web page at ${page}.`,
  })
  const circle = server.serve('/circle', new Uint8Array(1), status(302, { Location: '/circle' }))
  expect((await errorOf(open(circle))).code).toBe('HT-04')
})

test('a token goes to the address, not where a redirect leads to another origin', async () => {
  const other = await startRangeServer()
  const target = other.serve('/cdn', bytes)
  const from = server.serve('/gated', new Uint8Array(1), status(302, { Location: target }))
  await openHttpSource(from, { fetch, token: 'hf_secret' })
  expect(server.seen.at(-1)?.authorization).toBe('Bearer hf_secret')
  expect(other.seen).toMatchObject([{ path: '/cdn', authorization: null }])
  await other.close()
})

test.each([
  ['opening', { from: 1, to: 1, after: 5000 }, 0],
  ['reading', { from: 2, to: 2, after: 5000 }, 100_000],
])('a connection cut while %s goes on at the byte where it broke', async (_what, cut, start) => {
  const before = server.seen.length
  const source = await open(serve(cuts(cut)))
  expect(new Uint8Array(await source.slice(start, start + 20_000))).toEqual(bytes.slice(start, start + 20_000))
  expect(server.seen.slice(before).at(-1)?.range).toMatch(new RegExp(`^bytes=${start + 5000}-`))
})

test('a connection cut twice is given up, with the place', async () => {
  const source = await open(serve(cuts({ from: 2, to: 9, after: 5000 })))
  expect(await errorOf(source.slice(100_000, 130_000))).toMatchObject({
    code: 'HT-12',
    message: expect.stringContaining('the connection broke at byte 110,000 (0x1ADB0), 20.0 kB before the end'),
  })
})

test.each([
  [
    'another range',
    claimsRange('bytes 5-9/300000', 2),
    'HT-09',
    'expected bytes 100,000–100,099, found bytes 5-9/300000.',
  ],
  [
    'a range that begins early',
    claimsRange('bytes 99990-100099/300000', 2),
    'HT-09',
    'found bytes 99990-100099/300000',
  ],
  ['no range', claimsRange(null, 2), 'HT-09', 'found status 206 without Content-Range'],
  ['nonsense', claimsRange('bytes x', 2), 'HT-09', 'found bytes x'],
  ['another length', claimsRange('bytes 100000-100099/300001', 2), 'HT-10', 'its length was 300,000, is 300,001'],
  ['another version', changesETag(2), 'HT-10', 'its ETag was "v1", is "v2". Open it again.'],
  [
    'the whole file',
    (...[request, response, context]: Parameters<Fault>) =>
      context.count > 1 && ignoresRanges(request, response, context),
    'HT-08',
    'range requests',
  ],
] as const)('an answer with %s is refused', async (_what, fault, code, text) => {
  const source = await open(serve(fault))
  const error = await errorOf(source.slice(100_000, 100_100))
  expect(error.code).toBe(code)
  expect(error.message).toContain(text)
})

test('a first answer without a length, and a compressed one, are refused', async () => {
  expect(await errorOf(open(serve(claimsRange('bytes 0-65535/*'))))).toMatchObject({ code: 'HT-09' })
  expect(await errorOf(open(serve(claimsRange(null))))).toMatchObject({
    message: expect.stringContaining('found no Content-Range (a page sees it only where the server exposes it)'),
  })
  expect(await errorOf(open(serve(gzips)))).toMatchObject({
    code: 'HT-11',
    message: expect.stringContaining('expected the bytes as they are, found Content-Encoding "gzip"'),
  })
})

test('a body longer than its range is refused', async () => {
  const tooLong: Fault = (_request, response, context) => {
    if (context.count < 2) return false
    const { 'Content-Length': _length, ...headers } = partHeaders(context)
    response.writeHead(206, headers).end(bytes.subarray(0, 50_000))
    return true
  }
  const error = await errorOf((await open(serve(tooLong))).slice(100_000, 100_100))
  expect(error.code).toBe('HT-09')
})

test('a date stands for the version where there is no ETag', async () => {
  const dated: Fault = (_request, response, context) => {
    const { ETag: _etag, ...headers } = partHeaders(context)
    const date = `Mon, 0${context.count} Jun 2026 00:00:00 GMT`
    response
      .writeHead(206, { ...headers, 'Last-Modified': date })
      .end(context.bytes.subarray(context.start, context.end))
    return true
  }
  const error = await errorOf((await open(serve(dated))).slice(100_000, 100_100))
  expect(error).toMatchObject({ code: 'HT-10', message: expect.stringContaining('its date was Mon, 01 Jun 2026') })
})

test('says how far it is, and ends when it is told to', async () => {
  const source = await open(serve())
  const told: number[] = []
  await source.slice(70_000, 270_000, { onBytes: (done) => told.push(done) })
  expect(told.at(-1)).toBe(200_000)
  expect([...told].sort((a, b) => a - b)).toEqual(told)

  const stalling = await open(serve(stalls))
  const controller = new AbortController()
  const read = stalling.slice(70_000, 270_000, { signal: controller.signal, onBytes: () => controller.abort() })
  expect(isAbort(await read.catch((error: unknown) => error))).toBe(true)
})

test('only in a page is a server that answers nothing asked whether it is there', async () => {
  const asked: (string | undefined)[] = []
  const refusing: typeof fetch = async (_input, init) => {
    asked.push(init?.method)
    if (init?.mode === 'no-cors') return new Response()
    throw new TypeError('Failed to fetch')
  }
  const openWith = (corsApplies: boolean) =>
    errorOf(openHttpSource('https://x.test/m', { fetch: refusing, corsApplies }))
  expect((await openWith(false)).code).toBe('HT-02')
  expect(asked).toEqual([undefined])
  expect(await openWith(true)).toMatchObject({
    code: 'HT-03',
    message: expect.stringContaining('does not allow other pages to read it (CORS), or the file does not exist'),
  })
})
