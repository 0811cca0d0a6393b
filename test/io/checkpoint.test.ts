import { expect, test } from 'vitest'
import type { FileError } from '../../src/core/errors'
import type { ByteSource } from '../../src/io/byte-source'
import { groupShards, indexFacts, joinShards } from '../../src/io/checkpoint'
import { openAny } from '../../src/io/open-any'
import { readRows } from '../../src/io/read-values'
import { parseShardIndex, readJsonText } from '../../src/io/shard-index'
import { readTensorBytes } from '../../src/io/tensor-bytes'
import { entry, fileOf, floats } from '../support/make-files'
import { recordingSource } from './recording-source'

const INDEX = 'model.safetensors.index.json'
const shardName = (number: number, of = 2) => `model-0000${number}-of-0000${of}.safetensors`

/** A safetensors file with F32 [2, 2] tensors of these names; `seed` makes the values of one file its own. */
function shardFile(names: readonly string[], seed: number): Buffer {
  const members = names.map((name, i) => entry(name, 'F32', [2, 2], [16 * i, 16 * i + 16]))
  return fileOf(`{${members.join(',')}}`, floats(4 * names.length, seed))
}

async function shard(name: string, file: Uint8Array) {
  const source = recordingSource(file, name)
  const opened = await openAny(source)
  if (opened.kind !== 'safetensors') throw new Error(`expected safetensors, found ${opened.kind}`)
  return { source, stored: opened.stored }
}

async function indexOf(json: unknown, name = INDEX) {
  const text = typeof json === 'string' ? json : JSON.stringify(json)
  return parseShardIndex(await readJsonText(recordingSource(Buffer.from(text), name)))
}

const first = () => shard(shardName(1), shardFile(['a.weight', 'b.weight'], 1))
const second = () => shard(shardName(2), shardFile(['c.weight'], 2))
const weightMap = { 'a.weight': shardName(1), 'b.weight': shardName(1), 'c.weight': shardName(2) }

test('shards are one list of tensors whose bytes are those of their files', async () => {
  const index = await indexOf({ metadata: { total_size: 48 }, weight_map: weightMap })
  const files = [await second(), await first()]
  const joined = await joinShards(files, { index })
  expect(joined.tensors.map(({ name, shard }) => [name, shard?.name])).toEqual([
    ['a.weight', shardName(1)],
    ['b.weight', shardName(1)],
    ['c.weight', shardName(2)],
  ])
  expect(joined.shards).toEqual({
    title: 'model',
    shards: [shardName(1), shardName(2)].map((name) => ({ name, isOpen: true })),
    tensorsOpen: 3,
    tensorsTotal: 3,
    notes: [],
  })
  expect([joined.source.name, joined.source.byteLength]).toEqual([
    'model',
    files[0].source.byteLength + files[1].source.byteLength,
  ])
  const values = await Promise.all(joined.tensors.map((view) => readTensorBytes(joined.source, view)))
  const expected = [...floats(8, 1), ...floats(4, 2)]
  expect(values.flatMap((value) => [...new Uint8Array(value)])).toEqual(expected)
})

test('a missing shard is named, the rest is usable, with an index and without', async () => {
  const index = await indexOf({ weight_map: weightMap })
  expect((await joinShards([await first()], { index })).shards.notes).toEqual([
    { code: 'IX-03', message: `1 of 2 shards missing: ${shardName(2)}. 2 of 3 tensors can be opened.` },
  ])
  const alone = await joinShards(
    [await shard(shardName(2, 4), shardFile(['x'], 1)), await shard(shardName(3, 4), shardFile(['y'], 2))],
    { index: null },
  )
  expect(alone.shards).toMatchObject({ title: 'model', tensorsOpen: 2, tensorsTotal: null })
  expect(alone.shards.notes[0].message).toBe(
    `2 of 4 shards missing: ${shardName(1, 4)}, ${shardName(4, 4)}. 2 tensors can be opened.`,
  )
  const whole = await joinShards([await first(), await second()], { index: null })
  expect(whole.shards).toMatchObject({ tensorsTotal: 3, notes: [] })
})

test('what is in another shard than the index says is used and said', async () => {
  const index = await indexOf({ weight_map: { ...weightMap, 'b.weight': shardName(2), gone: shardName(1) } })
  const { shards, tensors } = await joinShards([await first(), await second()], { index })
  expect(tensors.map(({ name }) => name)).toEqual(['a.weight', 'b.weight', 'c.weight'])
  expect(shards.notes).toEqual([
    {
      code: 'IX-04',
      message: `"b.weight": the index says ${shardName(2)}, it is in ${shardName(1)}. Using ${shardName(1)}.`,
    },
    { code: 'IX-06', message: `"gone": the index says ${shardName(1)}, which does not have it.` },
  ])
})

test('of two tensors with one name the index decides, else the first', async () => {
  const files = [await first(), await shard(shardName(2), shardFile(['a.weight', 'c.weight'], 9))]
  const bytesOf = async (index: Awaited<ReturnType<typeof indexOf>> | null) => {
    const { source, tensors, shards } = await joinShards(files, { index })
    const view = tensors.find(({ name }) => name === 'a.weight')
    if (!view) throw new Error('a.weight is missing')
    return { bytes: Buffer.from(await readTensorBytes(source, view)), notes: shards.notes }
  }
  const plain = await bytesOf(null)
  expect(plain.bytes).toEqual(floats(8, 1).subarray(0, 16))
  expect(plain.notes).toEqual([
    { code: 'IX-05', message: `"a.weight": in ${shardName(1)} and in ${shardName(2)}. Using ${shardName(1)}.` },
  ])
  const index = await indexOf({ weight_map: { ...weightMap, 'a.weight': shardName(2) } })
  expect((await bytesOf(index)).bytes).toEqual(floats(8, 9).subarray(0, 16))
})

test('a packed tensor whose parts lie in different shards decodes', async () => {
  // Two rows of 32 codes 1, which are 0.5, under scales 2^1 and 2^−1.
  const codes = Buffer.alloc(32, 0x11)
  const one = fileOf(
    `{${entry('pad', 'U8', [7], [0, 7])},${entry('w_packed', 'U8', [2, 16], [7, 39])}}`,
    Buffer.concat([Buffer.alloc(7), codes]),
  )
  const two = fileOf(`{${entry('w_scale', 'U8', [2, 1], [0, 2])}}`, Buffer.from([128, 126]))
  const { source, tensors, refusals } = await joinShards(
    [await shard(shardName(1), one), await shard(shardName(2), two)],
    { index: null },
  )
  expect(refusals).toEqual([])
  const view = tensors.find(({ name }) => name === 'w')
  expect(view).toMatchObject({ dtype: 'MXFP4', shape: [2, 32] })
  if (!view) return
  const values = await readRows(() => source, view, { start: 0, end: 2 })
  expect([...values]).toEqual([...Array<number>(32).fill(1), ...Array<number>(32).fill(0.25)])
})

test('bits of packed integers are found in another shard, or in the config', async () => {
  const packed = fileOf(
    `{${entry('w_packed', 'I32', [2, 8], [0, 64])},${entry('w_scale', 'F32', [2, 1], [64, 72])}}`,
    72,
  )
  const shape = Buffer.alloc(16)
  shape.writeBigInt64LE(2n, 0)
  shape.writeBigInt64LE(32n, 8)
  const beside = fileOf(`{${entry('w_shape', 'I64', [2], [0, 16])}}`, shape)
  const dtypeOf = async (files: readonly Buffer[], quantizationConfig?: unknown) => {
    const opened = await Promise.all(files.map((file, i) => shard(shardName(i + 1), file)))
    return (await joinShards(opened, { index: null, quantizationConfig })).tensors[0]
  }
  expect(await dtypeOf([packed, beside])).toMatchObject({ dtype: 'INT8', shape: [2, 32] })
  const config = { config_groups: { group_0: { weights: { type: 'int', num_bits: 8 } } } }
  expect(await dtypeOf([packed], config)).toMatchObject({ dtype: 'INT8', shape: [2, 32] })
  expect(await dtypeOf([packed])).toMatchObject({ dtype: 'INT4', shape: [2, 64] })
})

test.each([
  ['no weight_map', { metadata: {} }, `${INDEX}: weight_map is missing.`],
  ['a list', [1], `${INDEX}: expected a JSON object, found a list.`],
  [
    'a weight_map that is text',
    { weight_map: 'x' },
    `${INDEX}: weight_map: expected an object of file names, found text.`,
  ],
  [
    'a name twice',
    '{"weight_map":{"q":"a.safetensors","\\u0071":"b.safetensors"}}',
    `${INDEX}: weight_map "q": listed twice, again at byte 35 (0x23).`,
  ],
  [
    'a name twice, the first ignored',
    '{"weight_map":{"q":"../a","q":"b"}}',
    `${INDEX}: weight_map "q": listed twice, again at byte 26 (0x1A).`,
  ],
  ['JSON cut off', '{"weight_map":{"q":', `${INDEX}: byte 19 (0x13): expected a value, found the end of the file.`],
  [
    'a depth bomb',
    `{"metadata":${'['.repeat(100_000)}`,
    `${INDEX}: byte 139 (0x8B): expected at most 128 nested lists and objects, found "[".`,
  ],
  [
    'half a surrogate pair',
    '{"weight_map":{"\\udc00":"a"}}',
    `${INDEX}: byte 15: expected text, found half of a surrogate pair.`,
  ],
])('an index with %s is refused', async (_what, json, message) => {
  const error = await indexOf(json).catch((thrown: unknown) => thrown as FileError)
  expect(error).toMatchObject({ code: 'IX-01', message })
})

test('invalid UTF-8 in an index is refused', async () => {
  const source = recordingSource(Buffer.from('{"weight_map":{"\xc3(":1}}', 'latin1'), INDEX)
  await expect(readJsonText(source)).rejects.toMatchObject({
    code: 'IX-01',
    message: `${INDEX}: byte 16 (0x10): not valid UTF-8 (0xC3 0x28).`,
  })
})

test('names that are no plain file names are ignored and said', async () => {
  const names = ['../x.safetensors', '/etc/passwd', 'a\\b', '..', '.', '', 'a\nb', 'x'.repeat(300)]
  const map = Object.fromEntries(names.map((name, i) => [`t${i}`, name]))
  const index = await indexOf({ weight_map: { ...map, n: 7, good: 'a.safetensors' } })
  expect([index.shards, [...index.shardOf]]).toEqual([['a.safetensors'], [['good', 0]]])
  expect(index.notes[0]).toEqual({
    code: 'IX-02',
    message: 'weight_map "t0": "../x.safetensors" is not a file name; ignored.',
  })
  // Nine in all: the first eight word for word.
  expect(index.notes).toHaveLength(9)
  expect(index.notes[8].message).toBe('And 1 more like these.')
})

test('names that mean something to JavaScript are only names', async () => {
  const hostile = ['__proto__', 'constructor', 'toString', 'hasOwnProperty']
  const json = `{"weight_map":{${hostile.map((name) => `"${name}":"${name}"`).join(',')}}}`
  const index = await indexOf(json)
  expect(index.shards).toEqual([...hostile].sort(new Intl.Collator('en').compare))
  const joined = await joinShards([await shard('__proto__', shardFile(hostile, 1))], { index })
  expect(joined.tensors.map(({ name }) => name)).toEqual(hostile)
  expect(({} as Record<string, unknown>).weight_map).toBeUndefined()
  expect(Object.prototype).not.toHaveProperty('shards')
})

test('no file is no checkpoint', async () => {
  await expect(joinShards([], { index: null })).rejects.toMatchObject({ code: 'IX-07' })
})

test('files that belong together are found by an index, or by their names', async () => {
  const index = await indexOf({ weight_map: weightMap })
  const file = (id: string, kind: 'safetensors' | 'index' | 'config' | 'npy', name: string) => {
    return { id, kind, name, shards: kind === 'index' ? indexFacts(index) : null }
  }
  const shards = [file('1', 'safetensors', shardName(1)), file('2', 'safetensors', shardName(2))]
  const others = [
    file('n', 'npy', 'x.npy'),
    file('s', 'safetensors', 'layer.safetensors'),
    file('c', 'config', 'config.json'),
  ]
  expect(groupShards([...others, ...shards])).toEqual([{ title: 'model', fileIds: ['1', '2', 'c'] }])
  expect(groupShards([file('i', 'index', INDEX), ...others, ...shards])).toEqual([
    { title: 'model', fileIds: ['i', '1', '2', 'c'] },
  ])
  expect(groupShards([file('i', 'index', INDEX), shards[0]])).toEqual([{ title: 'model', fileIds: ['i', '1'] }])
  expect(groupShards([file('i', 'index', INDEX), ...others])).toEqual([])
  expect(groupShards([shards[0], ...others])).toEqual([])
  expect(groupShards([shards[0], file('3', 'safetensors', shardName(2, 3))])).toEqual([])
})

test('files are told apart by name and first bytes', async () => {
  const kindOf = async (name: string, text: string | Uint8Array) => openAny(recordingSource(Buffer.from(text), name))
  expect(await kindOf(INDEX, JSON.stringify({ weight_map: weightMap }))).toMatchObject({ kind: 'index' })
  expect(await kindOf('config.json', '{"quantization_config":{"quant_method":"mxfp4"}}')).toEqual({
    kind: 'config',
    quantizationConfig: { quant_method: 'mxfp4' },
  })
  expect(await kindOf('config.json', '{"model_type":"llama"}')).toEqual({
    kind: 'config',
    quantizationConfig: undefined,
  })
  await expect(kindOf('tokenizer.json', '{"version":1}')).rejects.toMatchObject({ code: 'IX-01' })
  await expect(kindOf(INDEX, 'version https://git-lfs.github.com/spec/v1')).rejects.toMatchObject({ code: 'ST-02' })
  await expect(kindOf('model.safetensors', '{"weight_map":{}}')).rejects.toMatchObject({ code: 'ST-02' })
})

test('a read that fails is told of the file it failed in', async () => {
  const good = await first()
  const broken: ByteSource = { name: shardName(2), byteLength: 100, slice: async () => new ArrayBuffer(1) }
  const stored = {
    kind: 'safetensors' as const,
    metadata: {},
    tensors: [{ name: 'z', dtype: 'U8' as const, shape: [50], byteOffset: 50, byteLength: 50 }],
  }
  const { source, tensors } = await joinShards([good, { source: broken, stored }], { index: null })
  await expect(readTensorBytes(source, tensors[2])).rejects.toMatchObject({
    code: 'IO-01',
    message: expect.stringContaining(`${shardName(2)}: expected 50 bytes at byte 50 (0x32), found 1.`),
  })
})
