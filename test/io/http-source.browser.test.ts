/** What only a browser does: it keeps the answers of other origins from a page that they do not name. */
import { expect, inject, test } from 'vitest'
import { openHttpSource } from '../../src/io/http-source'

const origin = inject('crossOrigin')
const open = (url: string) => openHttpSource(url, { fetch: fetch.bind(globalThis), corsApplies: true })

test('a server that lets pages read it is read by ranges, without a question before', async () => {
  const source = await open(`${origin}/allowed.bin`)
  expect(source.byteLength).toBe(100_000)
  expect([...new Uint8Array(await source.slice(99_000, 99_004))]).toEqual(
    [99_000, 99_001, 99_002, 99_003].map((i) => i & 255),
  )
})

test('a server that does not is told from one that is not there', async () => {
  await expect(open(`${origin}/forbidden.bin`)).rejects.toMatchObject({ code: 'HT-03' })
  await expect(open('http://127.0.0.1:9/x.bin')).rejects.toMatchObject({ code: 'HT-02' })
})

test('a server that hides the range from pages is asked for the length', async () => {
  const source = await open(`${origin}/unexposed.bin`)
  expect(source.byteLength).toBe(100_000)
  expect([...new Uint8Array(await source.slice(99_998, 100_000))]).toEqual([99_998 & 255, 99_999 & 255])
})

test('a server that hides both is refused', async () => {
  await expect(open(`${origin}/secretive.bin`)).rejects.toMatchObject({
    code: 'HT-09',
    message: expect.stringContaining('a page sees it only where the server exposes it'),
  })
})
