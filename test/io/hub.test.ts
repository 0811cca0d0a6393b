import { afterAll, beforeAll, expect, test } from 'vitest'
import { fileUrl, listRepository, parseRepository } from '../../src/io/hub'
import { type RangeServer, startRangeServer, status } from '../support/range-server'

let server: RangeServer
beforeAll(async () => {
  server = await startRangeServer()
})
afterAll(() => server.close())

test.each([
  ['org/name', 'org/name', 'main', null],
  ['hf:org/name@v1.0', 'org/name', 'v1.0', null],
  ['org/name@refs/pr/3', 'org/name', 'refs/pr/3', null],
  ['hf:gpt2', 'gpt2', 'main', null],
  [' https://huggingface.co/org/name ', 'org/name', 'main', null],
  ['https://huggingface.co/org/name/tree/dev/sub', 'org/name', 'dev', null],
  ['https://huggingface.co/org/name/tree/refs%2Fpr%2F1', 'org/name', 'refs/pr/1', null],
  ['https://huggingface.co/org/name/blob/main/a/m.safetensors?x=1', 'org/name', 'main', 'a/m.safetensors'],
  ['https://hf.co/org/name/resolve/main/m.safetensors', 'org/name', 'main', 'm.safetensors'],
])('%s names a repository or a file of one', (text, id, revision, path) => {
  expect(parseRepository(text)).toEqual({ id, revision, path })
})

test.each([
  'gpt2',
  'a/b/c',
  'hf:',
  'org/../name',
  'org/name@',
  'org/name@a@b',
  'hf:../x',
  'https://example.com/org/name',
  'https://huggingface.co/datasets/a/b',
  'org/name@../..',
  './folder/file',
])('%s names none', (text) => {
  expect(parseRepository(text)).toBeNull()
})

test('paths and revisions are encoded in addresses', () => {
  expect(fileUrl({ id: 'o/n', revision: 'refs/pr/1' }, 'a b/ä.npy', 'http://h')).toBe(
    'http://h/o/n/resolve/refs%2Fpr%2F1/a%20b/%C3%A4.npy',
  )
})

test('a list goes on over several pages, and not to another server', async () => {
  const page = (paths: readonly string[]) =>
    JSON.stringify(paths.map((path) => ({ type: 'file', path, size: 7, oid: '' })))
  const list = '/api/models/org/name/tree/main'
  let next = `${server.origin}/second`
  server.serve(list, new Uint8Array(1), (_request, response) => {
    response
      .writeHead(200, { 'Content-Type': 'application/json', Link: `<${next}>; rel="next"` })
      .end(page(['m-10.safetensors', 'x.bin', 'config.json']))
    return true
  })
  server.serve(
    '/second',
    new Uint8Array(1),
    status(200, { 'Content-Type': 'application/json' }, page(['m-9.safetensors', 'sub/a.npy'])),
  )
  const options = { fetch, hubUrl: server.origin, token: 'hf_t' }
  const { id, revision, files } = await listRepository('org/name', options)
  expect([id, revision]).toEqual(['org/name', 'main'])
  expect(files.map(({ path, kind }) => [path, kind])).toEqual([
    ['config.json', 'config'],
    ['m-9.safetensors', 'safetensors'],
    ['m-10.safetensors', 'safetensors'],
    ['sub/a.npy', 'npy'],
  ])
  expect(files[1]).toMatchObject({ byteLength: 7, url: `${server.origin}/org/name/resolve/main/m-9.safetensors` })

  const other = await startRangeServer()
  next = `${other.origin}/second`
  await expect(listRepository('org/name', options)).rejects.toMatchObject({ code: 'HT-04' })
  expect(other.seen).toEqual([])
  await other.close()
})

test.each([
  [401, 'HB-02'],
  [404, 'HB-02'],
  [403, 'HT-05'],
  [429, 'HT-07'],
  [500, 'HT-07'],
])('status %d of the Hub is %s', async (code, expected) => {
  server.serve('/api/models/org/bad/tree/main', new Uint8Array(1), status(code))
  await expect(listRepository('org/bad', { fetch, hubUrl: server.origin })).rejects.toMatchObject({ code: expected })
})

test('text that names no repository is refused, and a list can be ended', async () => {
  await expect(listRepository('nothing', { fetch })).rejects.toMatchObject({ code: 'HB-01' })
  server.serve('/api/models/org/slow/tree/main', new Uint8Array(1), () => true)
  const controller = new AbortController()
  const listing = listRepository('org/slow', { fetch, hubUrl: server.origin, signal: controller.signal })
  setTimeout(() => controller.abort(), 50)
  await expect(listing).rejects.toMatchObject({ name: 'AbortError' })
})
