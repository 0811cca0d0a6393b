/** Large files cost their headers: what is read is counted, nothing is timed. */
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openSource } from '../../src/cli/node-source'
import type { ByteSource } from '../../src/io/byte-source'
import { joinShards } from '../../src/io/checkpoint'
import { openAny } from '../../src/io/open-any'
import { parseShardIndex, readJsonText } from '../../src/io/shard-index'
import { readTensorBytes } from '../../src/io/tensor-bytes'
import { entry, fileOf, floats } from '../support/make-files'
import { recordingSource } from './recording-source'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mxscope-sizes-'))
})
afterAll(() => rm(folder, { recursive: true }))

const GIGABYTES = 5_000_000_000

/** A file on disk whose data are a hole, but for the last tensor. */
async function sparseShard(path: string): Promise<{ headerBytes: number; last: Buffer }> {
  const last = floats(1024, 5)
  const rows = (GIGABYTES - last.length) / 8192
  const big = Math.floor(rows) * 8192
  const header = `{${entry('big.weight', 'BF16', [big / 8192, 4096], [0, big])},${entry('last.weight', 'F32', [32, 32], [big, big + last.length])}}`
  const head = fileOf(header)
  const file = await open(path, 'w')
  await file.write(head, 0, head.length, 0)
  await file.truncate(head.length + big + last.length)
  await file.write(last, 0, last.length, head.length + big)
  await file.close()
  return { headerBytes: head.length, last }
}

test('a shard of 5 GB opens by reading its header, and a tensor behind it by reading that', async () => {
  const path = join(folder, 'shard.safetensors')
  const { headerBytes, last } = await sparseShard(path)
  const disk = await openSource(path)
  expect(disk.byteLength).toBeGreaterThan(4_999_000_000)
  const reads: number[] = []
  const slice: ByteSource['slice'] = (start, end) => {
    reads.push(end - start)
    return disk.slice(start, end)
  }
  const source: ByteSource = { name: disk.name, byteLength: disk.byteLength, slice }
  const content = await openAny(source)
  if (content.kind !== 'safetensors') throw new Error(`expected safetensors, found ${content.kind}`)
  // The length is looked at twice: to tell an array from a checkpoint, and to find the header.
  expect(reads.reduce((sum, length) => sum + length, 0)).toBe(headerBytes + 8)
  const before = reads.length
  const bytes = await readTensorBytes(source, content.tensors[1])
  expect(Buffer.from(bytes)).toEqual(last)
  expect(reads.slice(before)).toEqual([last.length])

  // Beside another one it costs no more.
  const other = recordingSource(fileOf(`{${entry('x', 'U8', [3], [0, 3])}}`, Buffer.from([1, 2, 3])), 'z.safetensors')
  const small = await openAny(other)
  if (small.kind !== 'safetensors') throw new Error('expected safetensors')
  const joined = await joinShards(
    [
      { source, stored: content.stored },
      { source: other, stored: small.stored },
    ],
    { index: null },
  )
  expect(reads).toHaveLength(before + 1)
  expect([...new Uint8Array(await readTensorBytes(joined.source, joined.tensors[2]))]).toEqual([1, 2, 3])
  await disk.close()
})

test('300,000 tensors in one header', async () => {
  const members = Array.from({ length: 300_000 }, (_, i) => entry(`l.${i}.w`, 'U8', [1], [i, i + 1]))
  const file = fileOf(`{${members.join(',')}}`, 300_000)
  const source = recordingSource(file)
  const content = await openAny(source)
  if (content.kind !== 'safetensors') throw new Error(`expected safetensors, found ${content.kind}`)
  expect(content.tensors).toHaveLength(300_000)
  expect(content.tensors[299_999]).toMatchObject({ name: 'l.299999.w', byteOffset: file.length - 1 })
  const read = source.reads.reduce((sum, [start, end]) => sum + end - start, 0)
  expect(read).toBe(file.length - 300_000 + 8)
}, 120_000)

test('an index of 100,000 tensors in 500 shards', async () => {
  const shardOf = (i: number) => `model-${String((i % 500) + 1).padStart(5, '0')}-of-00500.safetensors`
  const map = Array.from({ length: 100_000 }, (_, i) => `"model.layers.${i}.mlp.weight":"${shardOf(i)}"`)
  const json = Buffer.from(`{"metadata":{},"weight_map":{${map.join(',')}}}`)
  const source = recordingSource(json, 'model.safetensors.index.json')
  const index = parseShardIndex(await readJsonText(source))
  expect(source.reads).toEqual([[0, json.length]])
  expect([index.shards.length, index.shardOf.size]).toEqual([500, 100_000])
  expect(index.shards[index.shardOf.get('model.layers.99999.mlp.weight') ?? -1]).toBe(shardOf(99_999))

  const one = recordingSource(fileOf(`{${entry('model.layers.0.mlp.weight', 'U8', [1], [0, 1])}}`, 1), shardOf(0))
  const content = await openAny(one)
  if (content.kind !== 'safetensors') throw new Error('expected safetensors')
  const { shards } = await joinShards([{ source: one, stored: content.stored }], { index })
  const [missing] = shards.notes.filter(({ code }) => code === 'IX-03')
  expect(missing.message).toMatch(/^499 of 500 shards missing: .* and 491 more\. 1 of 100,000 tensors can be opened\.$/)
  // The tensors of the open shard that it does not have: eight, and how many more.
  expect(shards.notes.filter(({ code }) => code === 'IX-06')).toHaveLength(9)
  expect(shards.notes.at(-2)?.message).toBe('And 191 more like these.')
})

test('names of a megabyte and tensors by the thousand under one of them are listed', async () => {
  const name = 'x'.repeat(1_000_000)
  const source = recordingSource(fileOf(`{${entry(name, 'U8', [1], [0, 1])}}`, 1))
  const content = await openAny(source)
  expect(content).toMatchObject({ kind: 'safetensors', tensors: [{ name }] })
  const index = parseShardIndex(
    await readJsonText(recordingSource(Buffer.from(`{"weight_map":{"${name}":"${name}"}}`), 'm.index.json')),
  )
  expect([index.shards, index.notes.length]).toEqual([[], 1])
  expect(index.notes[0].message.length).toBeLessThan(500)
})
