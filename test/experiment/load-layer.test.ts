import { describe, expect, test } from 'vitest'
import { type LayerSources, loadLayer } from '../../src/experiment/load-layer'
import { splitRows } from '../../src/experiment/split-rows'
import { readMatrix } from '../../src/gpu/transfer'
import { blobSource } from '../../src/io/byte-source'
import { readHeader } from '../../src/io/read-header'
import { DEFAULT_SYNTHETIC, generateActivations } from '../../src/io/synthetic'
import type { Dtype } from '../../src/io/tensor-view'
import { writeSafetensors } from '../../src/io/write-safetensors'
import { gpuFixture } from '../support/gpu'

const t = gpuFixture()

/** Values with few significant bits, so that every dtype holds them exactly. */
const valuesOf = (count: number, first = 0) => Float64Array.from({ length: count }, (_, i) => ((i + first) % 61) - 30)

function encode(values: Float64Array, dtype: Dtype): Uint8Array {
  if (dtype === 'F64') return new Uint8Array(values.buffer)
  const floats = Float32Array.from(values)
  if (dtype === 'F32') return new Uint8Array(floats.buffer)
  return new Uint8Array(Uint16Array.from(new Uint32Array(floats.buffer), (bits) => bits >>> 16).buffer) // BF16
}

interface Tensor {
  readonly shape: readonly number[]
  readonly dtype?: Dtype
  readonly values?: Float64Array
}

/** An open file with these tensors; a tensor's values count up from 0 unless given. */
async function fileOf(tensors: Readonly<Record<string, Tensor>>) {
  const toWrite = Object.entries(tensors).map(([name, { shape, dtype = 'F32', values }]) => {
    const count = shape.reduce((product, axis) => product * axis, 1)
    return { name, dtype, shape, bytes: encode(values ?? valuesOf(count), dtype) }
  })
  const source = blobSource('layer.safetensors', new Blob([writeSafetensors(toWrite)]))
  const header = await readHeader(source)
  const at = (name: string) => {
    const tensor = header.tensors.find((candidate) => candidate.name === name)
    if (!tensor) throw new Error(name)
    return { source, tensor }
  }
  return { at, tensors: header.tensors }
}

type File = Awaited<ReturnType<typeof fileOf>>

function sourcesOf(file: File, changes: Partial<LayerSources> = {}): LayerSources {
  return {
    weight: file.at('w'),
    activations: { kind: 'captured', calibration: file.at('x'), evaluation: null },
    heldOutShare: 0.5,
    firstToken: 0,
    tokens: null,
    tensors: file.tensors,
    ...changes,
  }
}

const load = (sources: LayerSources) =>
  loadLayer(sources, { gpu: t.gpu, arena: t.arena, signal: new AbortController().signal })

describe('splitRows', () => {
  test('calibrates on the first rows and holds out the last', () => {
    expect(splitRows(10, 0.3)).toEqual({ calibration: { start: 0, end: 7 }, evaluation: { start: 7, end: 10 } })
    expect(splitRows(512, 0.5)).toEqual({ calibration: { start: 0, end: 256 }, evaluation: { start: 256, end: 512 } })
  })

  test('leaves at least one row on either side', () => {
    expect(splitRows(2, 0.8)).toEqual({ calibration: { start: 0, end: 1 }, evaluation: { start: 1, end: 2 } })
    expect(splitRows(3, 0.01).evaluation).toEqual({ start: 2, end: 3 })
    expect(() => splitRows(1, 0.5)).toThrow('activations: expected at least 2 rows to hold some out, found 1.')
  })

  test('share 0 uses all rows for both', () => {
    expect(splitRows(4, 0)).toEqual({ calibration: { start: 0, end: 4 }, evaluation: { start: 0, end: 4 } })
  })

  test.each([-0.1, 0.9, Number.NaN])('refuses share %s', (share) => {
    expect(() => splitRows(10, share)).toThrow(`held-out share: expected 0 to 0.8, found ${share}.`)
  })
})

test.each(['F32', 'BF16', 'F64'] as const)(
  '%s tensors arrive as they are, leading axes folded into rows',
  async (dtype) => {
    const file = await fileOf({ w: { shape: [3, 7], dtype }, x: { shape: [2, 5, 7], dtype } })
    const layer = await load(sourcesOf(file, { heldOutShare: 0.3 }))
    expect((await readMatrix(t.gpu, layer.weight)).data).toEqual(Float32Array.from(valuesOf(21)))
    expect((await readMatrix(t.gpu, layer.calibration)).data).toEqual(Float32Array.from(valuesOf(49)))
    expect((await readMatrix(t.gpu, layer.evaluation)).data).toEqual(Float32Array.from(valuesOf(21, 49)))
    expect(layer.weightBits).toBe({ F32: 32, BF16: 16, F64: 64 }[dtype])
    expect(layer.facts).toEqual({
      name: 'w',
      file: 'layer.safetensors',
      outDim: 3,
      inDim: 7,
      calibrationTokens: 7,
      evaluationTokens: 3,
      sameRows: false,
      activations: { kind: 'captured', tensor: 'x', file: 'layer.safetensors' },
      notes: [
        expect.stringContaining(
          '7 is not a multiple of 32; the last block of each row is short (in blocks of 32: 7 el',
        ),
      ],
    })
  },
)

test('a weight stored as [in, out] is turned, and said', async () => {
  const file = await fileOf({ w: { shape: [32, 3] }, x: { shape: [4, 32] } })
  const layer = await load(sourcesOf(file))
  expect([layer.facts.outDim, layer.facts.inDim]).toEqual([3, 32])
  expect(layer.facts.notes).toEqual(['"w" is stored as [in, out]; it was turned to [out, in] to fit the activations.'])
  const stored = valuesOf(96)
  const turned = Float32Array.from({ length: 96 }, (_, i) => stored[(i % 32) * 3 + Math.floor(i / 32)])
  expect((await readMatrix(t.gpu, layer.weight)).data).toEqual(turned)
})

test('activations of another module do not turn a weight: they are the wrong ones', async () => {
  const file = await fileOf({
    'mlp.down_proj.weight': { shape: [32, 64] },
    'mlp.down_proj.input': { shape: [4, 32] },
    'attn.q_proj.weight': { shape: [8, 32] },
    'attn.q_proj.input': { shape: [4, 32] },
    'calib.input': { shape: [4, 32] },
  })
  const sourcesWith = (input: string) => ({
    ...sourcesOf({ ...file, at: () => file.at('mlp.down_proj.weight') }),
    activations: { kind: 'captured', calibration: file.at(input), evaluation: null } as const,
  })
  await expect(load(sourcesWith('attn.q_proj.input'))).rejects.toMatchObject({
    code: 'AC-01',
    message: expect.stringContaining('expected width 64 (columns of mlp.down_proj.weight), found 32.'),
  })
  for (const own of ['mlp.down_proj.input', 'calib.input']) {
    expect((await load(sourcesWith(own))).facts.inDim).toBe(32)
  }
})

test('takes the first tokens only, and evaluation rows of a tensor of their own', async () => {
  const file = await fileOf({ w: { shape: [2, 32] }, x: { shape: [9, 32] }, e: { shape: [4, 32] } })
  const activations = { kind: 'captured', calibration: file.at('x'), evaluation: file.at('e') } as const
  const both = await load(sourcesOf(file, { activations, tokens: 6 }))
  expect([both.calibration.rows, both.evaluation.rows]).toEqual([6, 4])
  const split = await load(sourcesOf(file, { tokens: 6 }))
  expect([split.calibration.rows, split.evaluation.rows]).toEqual([3, 3])
  const same = await load(sourcesOf(file, { heldOutShare: 0 }))
  expect(same.evaluation).toBe(same.calibration)
  expect(same.facts).toMatchObject({ sameRows: true, calibrationTokens: 9, evaluationTokens: 9, notes: [] })
})

test('synthetic activations are the generator’s rows, split, and labelled as such', async () => {
  const file = await fileOf({ w: { shape: [2, 32] } })
  const spec = { ...DEFAULT_SYNTHETIC, tokens: 6, outlierChannels: 1, outlierGain: 10, seed: 3 }
  const layer = await load({
    ...sourcesOf({ ...file, at: () => file.at('w') }),
    activations: { kind: 'synthetic', spec, gain: null },
  })
  const { data } = generateActivations(spec, 32)
  expect((await readMatrix(t.gpu, layer.calibration)).data).toEqual(data.slice(0, 96))
  expect((await readMatrix(t.gpu, layer.evaluation)).data).toEqual(data.slice(96))
  expect(layer.facts.activations).toMatchObject({ kind: 'synthetic', seed: 3 })
})

test('rows start at the first token that is asked for', async () => {
  const file = await fileOf({ w: { shape: [2, 32] }, x: { shape: [9, 32] } })
  const rowsOf = async (changes: Partial<LayerSources>) => {
    const { calibration, evaluation } = await load(sourcesOf(file, changes))
    return [(await readMatrix(t.gpu, calibration)).data, (await readMatrix(t.gpu, evaluation)).data]
  }
  const rows = (start: number, end: number) => Float32Array.from(valuesOf(9 * 32)).slice(start * 32, end * 32)
  expect(await rowsOf({ firstToken: 3, tokens: 4 })).toEqual([rows(3, 5), rows(5, 7)])
  expect(await rowsOf({ firstToken: 7 })).toEqual([rows(7, 8), rows(8, 9)])
  await expect(load(sourcesOf(file, { firstToken: 9 }))).rejects.toMatchObject({
    code: 'AC-05',
    message: 'first token: expected 0 to 8, found 9.',
  })
})

test('synthetic rows are multiplied by the gain of a norm, as that norm applies it', async () => {
  const file = await fileOf({ w: { shape: [2, 32] }, g: { shape: [32], dtype: 'BF16' }, short: { shape: [31] } })
  const spec = { ...DEFAULT_SYNTHETIC, tokens: 4, outlierChannels: 2, seed: 3 }
  const withGain = (name: string, plusOne: boolean) => ({
    ...sourcesOf({ ...file, at: () => file.at('w') }),
    activations: { kind: 'synthetic', spec, gain: { from: file.at(name), plusOne } } as const,
  })
  const stored = Float32Array.from(valuesOf(32))
  for (const plusOne of [false, true]) {
    const layer = await load(withGain('g', plusOne))
    const gain = stored.map((value) => value + Number(plusOne))
    expect((await readMatrix(t.gpu, layer.calibration)).data).toEqual(
      generateActivations(spec, 32, gain).data.slice(0, 64),
    )
    expect(layer.facts.activations).toMatchObject({ description: expect.stringContaining('gain of g, 2 outlier') })
  }
  await expect(load(withGain('short', false))).rejects.toMatchObject({
    code: 'AC-07',
    message: 'norm gain "short": expected 32 values, found 31.',
  })
})

test('refuses what is not finite, of the rows that are read, with its place in the file', async () => {
  const values = valuesOf(8 * 32)
  values[6 * 32 + 5] = Number.NaN
  values[7 * 32] = Number.POSITIVE_INFINITY
  const file = await fileOf({ w: { shape: [2, 32] }, x: { shape: [8, 32], values } })
  await expect(load(sourcesOf(file))).rejects.toMatchObject({
    code: 'TS-04',
    message: expect.stringContaining('2 of 256 elements are not finite (1 NaN, 1 +Inf), first at row 6, column 5'),
  })
  await expect(load(sourcesOf(file, { tokens: 6 }))).resolves.toMatchObject({ facts: { evaluationTokens: 3 } })
})

test('counts what is not finite in calibration and evaluation rows together', async () => {
  const values = valuesOf(8 * 32)
  values[2 * 32 + 1] = Number.NaN
  values[7 * 32] = Number.NEGATIVE_INFINITY
  const file = await fileOf({ w: { shape: [2, 32] }, x: { shape: [8, 32], values } })
  await expect(load(sourcesOf(file))).rejects.toThrow(
    '2 of 256 elements are not finite (1 NaN, 1 −Inf), first at row 2, column 1',
  )
})

test('refuses widths, ranks and dtypes that do not fit', async () => {
  const file = await fileOf({ w: { shape: [2, 32] }, x: { shape: [4, 33] }, cube: { shape: [2, 2, 32] } })
  await expect(load(sourcesOf(file))).rejects.toMatchObject({ code: 'AC-01' })
  await expect(load(sourcesOf(file, { weight: file.at('cube') }))).rejects.toMatchObject({ code: 'TS-02' })
  const tokens = sourcesOf(await fileOf({ w: { shape: [2, 32] }, x: { shape: [4, 32] } }), { tokens: 0 })
  await expect(load(tokens)).rejects.toThrow('tokens: expected a whole number from 1, found 0.')
})
