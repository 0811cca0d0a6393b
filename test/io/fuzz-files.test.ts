/** Files of every kind with something wrong in them: opened consistently, or refused by an error of ours that says why. */
import { expect, test } from 'vitest'
import { MxError } from '../../src/core/errors'
import { createRandom } from '../../src/core/random'
import { type CheckpointFile, joinShards } from '../../src/io/checkpoint'
import { openAny } from '../../src/io/open-any'
import { readRows } from '../../src/io/read-values'
import type { ShardIndex } from '../../src/io/shard-index'
import { sliceOf, stackSize } from '../../src/io/stack'
import { decodable } from '../../src/io/tensor-bytes'
import type { TensorView } from '../../src/io/tensor-view'
import { entry, fileOf } from '../support/make-files'
import { recordingSource } from './recording-source'

const SEED = 20260601
const MUTANTS = 20_000

/** What a kind of file is made of; `text` is what is mutated, `build` puts the file together around it. */
interface Base {
  readonly name: string
  readonly text: string
  readonly build: (text: Uint8Array, declared: number) => Uint8Array
}

const data = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 73 + 11) & 255)

function safetensors(name: string, members: readonly (readonly [string, string, number[], number])[]): Base {
  let end = 0
  const entries = members.map(([tensor, dtype, shape, bytes]) => {
    end += bytes
    return entry(tensor, dtype, shape, [end - bytes, end])
  })
  const metadata = '"__metadata__":{"format":"pt","mxscope.pre_scale.p":"0.75 exact"}'
  const total = end
  return {
    name,
    text: `{${metadata},${entries.join(',')}}`,
    build: (text, declared) => fileOf(text, data(total), BigInt.asUintN(64, BigInt(declared))),
  }
}

const npyText = "{'descr': '<f4', 'fortran_order': False, 'shape': (4, 8), }"

const BASES: readonly Base[] = [
  safetensors('model-00001-of-00002.safetensors', [
    ['w.weight', 'F32', [4, 8], 128],
    ['x', 'BF16', [2, 3, 8], 96],
    ['six', 'F6_E2M3', [2, 4], 6],
    ['none', 'F64', [0, 3], 0],
  ]),
  safetensors('model-00002-of-00002.safetensors', [
    ['p_packed', 'U8', [2, 16], 32],
    ['p_scale', 'U8', [2, 1], 2],
    ['e_blocks', 'U8', [2, 2, 1, 16], 64],
    ['e_scales', 'U8', [2, 2, 1], 4],
    ['n_packed', 'U8', [2, 8], 16],
    ['n_scale', 'F8_E4M3', [2, 1], 2],
    ['n_global_scale', 'F32', [1], 4],
    ['f', 'F8_E4M3', [2, 4], 8],
    ['f_scale', 'F32', [2, 1], 8],
    ['i_packed', 'I32', [2, 4], 32],
    ['i_scale', 'F32', [2, 1], 8],
    ['i_shape', 'I64', [2], 16],
    ['i_zero_point', 'I32', [1, 1], 4],
    ['i_g_idx', 'I32', [32], 128],
  ]),
  {
    name: 'model.safetensors.index.json',
    text: '{"metadata":{"total_size":374},"weight_map":{"w.weight":"model-00001-of-00002.safetensors","x":"model-00001-of-00002.safetensors","p_packed":"model-00002-of-00002.safetensors","f":"model-00002-of-00002.safetensors"}}',
    build: (text) => text,
  },
  {
    name: 'config.json',
    text: '{"model_type":"llama","quantization_config":{"config_groups":{"group_0":{"weights":{"type":"int","num_bits":4}}}}}',
    build: (text) => text,
  },
  {
    name: 'act.npy',
    text: npyText,
    build: (text, declared) => {
      const head = Buffer.from('\x93NUMPY\x01\x00\x00\x00', 'latin1')
      head.writeUInt16LE(declared & 65535, 8)
      return Buffer.concat([head, text, data(128)])
    },
  },
]

/** The same mutants every time. */
function generator(seed: number) {
  const { uint32 } = createRandom(seed)
  return (below: number): number => uint32() % below
}

const NUMBERS = [
  '-1',
  '0',
  '1',
  '4',
  '1e3',
  '1e400',
  'NaN',
  '1.5',
  '0x10',
  '01',
  '4294967296',
  '9007199254740993',
  '18446744073709551616',
  '9'.repeat(400),
  'null',
  '[]',
  '-0',
  '2',
  '16',
  '32',
  '64',
]
const NAMES = [
  '__proto__',
  'constructor',
  'toString',
  '../../etc/passwd',
  'C:\\\\x',
  '.',
  '',
  '\\u0000',
  '\\ud800',
  '\\ud83d\\ude00',
  'é',
  'p_packed',
  'p',
  'w',
  'i_scale',
  'e_blocks',
  '__metadata__',
  'weight_map',
  'hasOwnProperty',
  'x'.repeat(3000),
]
const TOKENS = ['F4', 'F6_E3M2', 'F8_E8M0', 'I64', 'C64', 'BOOL', 'U8', '>f8', '|b1', '<c16', 'O', 'True', ...NAMES]
const BYTES = [...'{}[]()",:\\-0129eE.tfnu \n\0\'L'].map((c) => c.charCodeAt(0)).concat(0x80, 0xc3, 0xed, 0xff)

/** One change; `pick(n)` is a number below n. */
function mutate(text: string, pick: (below: number) => number): string {
  const choose = <T>(list: readonly T[]): T => list[pick(list.length)]
  const replaceSome = (pattern: RegExp, by: string) => {
    const found = [...text.matchAll(pattern)]
    if (found.length === 0) return text
    const { index, 0: token } = choose(found)
    return text.slice(0, index) + by + text.slice(index + token.length)
  }
  const at = pick(text.length + 1)
  switch (pick(11)) {
    case 0:
    case 1:
      return replaceSome(/-?\d+/g, choose(NUMBERS))
    case 2:
      return replaceSome(/"[^"]*"(?=:)/g, `"${choose(NAMES)}"`)
    case 3:
      return replaceSome(/(?<=["'])[A-Za-z0-9_.<|-]+(?=["'])/g, choose(TOKENS))
    case 4:
      return text.slice(0, at) + String.fromCharCode(choose(BYTES)) + text.slice(at)
    case 5:
      return text.slice(0, at) + String.fromCharCode(choose(BYTES)) + text.slice(at + 1)
    case 6:
      return text.slice(0, at) + text.slice(at + 1 + pick(20))
    case 7:
      return text.slice(0, at) + text.slice(pick(text.length), pick(text.length)) + text.slice(at)
    case 8:
      return text.slice(0, at) + choose(['[', '{"a":', '(']).repeat(1 + pick(300)) + text.slice(at)
    case 9: {
      // A tensor moves as a whole: onto another, or away from it.
      const by = choose([-32, -8, -1, 1, 4, 16])
      const moved = (_: string, begin: string, end: string) => `[${Number(begin) + by},${Number(end) + by}]`
      const offsets = choose([...text.matchAll(/\[(\d+),(\d+)\](?=\})/g)])?.[0]
      return offsets ? text.replace(offsets, offsets.replace(/\[(\d+),(\d+)\]/, moved)) : text
    }
    default: {
      // Two members change places, or one is there twice.
      const [one, two] = [
        choose([...text.matchAll(/"[^"]+":(\{[^{}]*\}|"[^"]*")/g)])?.[0],
        choose([...text.matchAll(/"[^"]+":(\{[^{}]*\}|"[^"]*")/g)])?.[0],
      ]
      return one && two ? text.replace(one, () => two) : text
    }
  }
}

/** A few elements of everything that claims to be readable. */
async function readSome(tensors: readonly TensorView[], source: ReturnType<typeof recordingSource>): Promise<void> {
  for (const tensor of tensors) {
    const end =
      tensor.byteOffset + (tensor.storage?.kind === 'packed' ? tensor.storage.codes.byteLength : tensor.byteLength)
    expect(end).toBeLessThanOrEqual(source.byteLength)
    if (!decodable(tensor) || tensor.shape.includes(0)) continue
    await ours(async () => {
      const count = stackSize(tensor)
      const view = count === null ? tensor : sliceOf(tensor, count - 1)
      const values = await readRows(() => source, view, { start: 0, end: 1 })
      expect(values.length).toBe(view.shape.at(-1) ?? 1)
    })
  }
}

const refusals = new Map<string, number>()

/** What `work` gives, or null when it refuses with one of our errors that has a code and a short message. */
async function ours<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof MxError)) throw error
    expect(error.code).toMatch(/^(ST|NP|IX|PK|TS|IO)-\d\d$/)
    expect(error.message.length).toBeLessThan(1500)
    refusals.set(error.code, (refusals.get(error.code) ?? 0) + 1)
    return null
  }
}

test(`${MUTANTS} mutants of headers, lengths, offsets, indices, arrays and packed names`, async () => {
  const pick = generator(SEED)
  const good = await Promise.all(
    BASES.slice(0, 2).map(async (base) => openShard(base, Buffer.from(base.text), Buffer.byteLength(base.text))),
  )
  let opened = 0
  for (let i = 0; i < MUTANTS; i++) {
    const base = BASES[i % BASES.length]
    let text = base.text
    for (let edits = pick(3); edits >= 0; edits--) text = mutate(text, pick)
    const bytes = Buffer.from(text, pick(2) === 0 ? 'latin1' : 'utf8')
    const declared = bytes.length + (pick(6) === 0 ? pick(9) - 4 : 0) * (pick(4) === 0 ? 2 ** 30 : 1)
    const whole = base.build(bytes, declared)
    const file = pick(12) === 0 ? whole.subarray(0, pick(whole.length)) : whole
    const source = recordingSource(file, base.name)
    const begin = performance.now()
    try {
      const content = await ours(() => openAny(source))
      // The first bytes are looked at to tell kinds apart; apart from these nothing is read twice.
      const read = source.reads.reduce((sum, [from, to]) => sum + to - from, 0)
      expect(read).toBeLessThanOrEqual(2 * file.length + 1024)
      if (content) opened++
      if (content?.kind === 'safetensors' || content?.kind === 'npy') await readSome(content.tensors, source)
      if (content?.kind === 'index') await joinWith(good, content.index, undefined)
      if (content?.kind === 'config') await joinWith(good, null, content.quantizationConfig)
    } catch (error) {
      throw new Error(`mutant ${i} of ${base.name}: ${JSON.stringify(text.slice(0, 2000))}`, { cause: error })
    }
    expect(performance.now() - begin).toBeLessThan(2000)
  }
  expect(Object.prototype).not.toHaveProperty('polluted')
  expect(Object.keys(Object.prototype)).toEqual([])
  // Both ends are reached, and nearly every check: otherwise the mutants say nothing.
  expect(opened).toBeGreaterThan(1000)
  for (const code of [
    'ST-01',
    'ST-03',
    'ST-04',
    'ST-05',
    'ST-06',
    'ST-07',
    'ST-08',
    'ST-10',
    'ST-11',
    'ST-12',
    'ST-13',
    'ST-14',
    'ST-15',
    'ST-16',
    'NP-02',
    'NP-03',
    'NP-04',
    'NP-05',
    'NP-06',
    'IX-01',
    'PK-04',
  ]) {
    expect(refusals.get(code) ?? 0, code).toBeGreaterThan(3)
  }
})

async function openShard(base: Base, text: Uint8Array, declared: number): Promise<CheckpointFile> {
  const source = recordingSource(base.build(text, declared), base.name)
  const content = await openAny(source)
  if (content.kind !== 'safetensors') throw new Error(`${base.name}: expected safetensors, found ${content.kind}`)
  return { source, stored: content.stored }
}

/** A join never throws for what an index or config says, and loses no tensor that is there. */
async function joinWith(
  good: readonly CheckpointFile[],
  index: ShardIndex | null,
  quantizationConfig: unknown,
): Promise<void> {
  const { shards } = await joinShards(good, { index, quantizationConfig })
  expect(shards.tensorsOpen).toBe(good.reduce((sum, { stored }) => sum + stored.tensors.length, 0))
  expect(shards.notes.length).toBeLessThan(60)
  expect(Math.max(0, ...shards.notes.map(({ message }) => message.length))).toBeLessThan(4000)
}
