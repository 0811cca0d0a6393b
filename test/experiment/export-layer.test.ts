import { describe, expect, test } from 'vitest'
import { VERSION } from '../../src/core/version'
import { checkReadBack } from '../../src/experiment/export-check'
import { type ExportSubject, exportLayer } from '../../src/experiment/export-layer'
import {
  EXPORT_LAYOUTS,
  type ExportLayout,
  type ExportRequest,
  layoutChoices,
} from '../../src/experiment/export-request'
import { parseSetting, quantizersOf } from '../../src/experiment/settings'
import { STANDARD_MX } from '../../src/formats/quantizer'
import { FORMATS } from '../../src/formats/registry'
import { uploadMatrix } from '../../src/gpu/transfer'
import { type FileTensors, readTensors } from '../../src/io/read-tensors'
import { readRows } from '../../src/io/read-values'
import { applyStep, type ReadStep } from '../oracle/online-steps'
import { gpuFixture } from '../support/gpu'
import { gaussianMatrix } from '../support/method-fixture'

const t = gpuFixture()
const NAME = 'model.layers.0.mlp.up_proj.weight'
const OWN = 'model.layers.0.mlp.up_proj.mxscope.'
const [ROWS, COLS] = [24, 128]
const weightMatrix = gaussianMatrix(ROWS, COLS, 10)
const calibrationMatrix = gaussianMatrix(160, COLS, 20)

const subject = (changes: Partial<ExportSubject> = {}): ExportSubject => ({
  name: NAME,
  weight: uploadMatrix(t.gpu, t.arena, weightMatrix, 'weight'),
  calibration: uploadMatrix(t.gpu, t.arena, calibrationMatrix, 'rows'),
  turned: false,
  ...changes,
})

interface Asked {
  readonly setting?: string
  readonly method?: string
  readonly options?: ExportRequest['method']['options']
  readonly layout?: ExportLayout
  readonly mx?: Partial<typeof STANDARD_MX>
}

function requestOf({ setting = 'mxfp4/16', method = 'rtn', options = {}, layout = 'compressed-tensors', mx }: Asked) {
  const choices = { ...STANDARD_MX, ...mx }
  return { ...choices, setting: parseSetting(setting), method: { id: method, options }, seed: 5, headDim: null, layout }
}

const exported = (asked: Asked, changes: Partial<ExportSubject> = {}) =>
  exportLayer(subject(changes), requestOf(asked), {
    gpu: t.gpu,
    signal: new AbortController().signal,
    onProgress: () => {},
  })

/** The file opened as a user's would be, and one of its tensors as numbers. */
async function opened(file: Uint8Array<ArrayBuffer>) {
  const slice = async (start: number, end: number) => file.slice(start, end).buffer
  const source = { name: 'x.safetensors', byteLength: file.length, slice }
  const listed: FileTensors = await readTensors(source)
  const values = async (name: string) => {
    const tensor = listed.tensors.find((each) => each.name === name)
    if (!tensor) throw new Error(`no ${name}`)
    const rows = tensor.shape.slice(0, -1).reduce((product, axis) => product * axis, 1)
    return { tensor, data: await readRows(() => source, tensor, { start: 0, end: rows }) }
  }
  return { ...listed, values }
}

const valuesOf = async (asked: Asked) => (await (await opened((await exported(asked)).file)).values(NAME)).data

const QUICK = { steps: 3 }
const METHODS_TRIED: readonly Asked[] = [
  { method: 'rtn' },
  { method: 'gptq' },
  { method: 'gptq', options: { order: 'group-order' } },
  { method: 'gptq', options: { scales: 'static', order: 'act-order' } },
  { method: 'awq' },
  { method: 'quarot+gptq' },
  { method: 'flatquant', options: QUICK },
  { method: 'low-rank', options: { rank: 4, branch: 'weight-first' } },
]

/** Formats, and whether every method is tried on them; the others share their kernels. */
const WEIGHTS: readonly (readonly [string, boolean])[] = [
  ['mxfp4', true],
  ['mxfp8_e4m3', false],
  ['nvfp4', true],
  ['nvfp4(four-over-six=mse)', false],
  ['int4(group=32)', false],
  ['int4(group=64,scheme=asym)', true],
  ['int4', false],
  ['int8(scheme=asym)', false],
  ['mxfp6_e2m3', false],
  ['bf16', false],
]
const FEW = ['rtn', 'gptq']

describe.each(WEIGHTS)('%s', (format, all) => {
  const tried = METHODS_TRIED.filter(({ method, options }) => all || (FEW.includes(method ?? '') && !options))
  const setting = `${format}/mxfp8_e4m3`
  const choices = layoutChoices(quantizersOf(parseSetting(setting), STANDARD_MX).weight, { name: NAME, cols: COLS })
  const possible = choices.filter(({ refusal }) => refusal === null).map(({ layout }) => layout)
  // A layout is written from codes, whatever method made them: the others are tried in the one that holds most of them.
  const layoutsOf = ({ method = '', options }: Asked) =>
    FEW.includes(method) && !options ? possible : possible.filter((layout) => layout === 'compressed-tensors')

  test.each(tried.map((asked) => [`${asked.method} ${JSON.stringify(asked.options ?? {})}`, asked] as const))(
    '%s: every layout reads back to the same numbers',
    async (_, asked) => {
      // Exporting checks bit for bit against Ŵ; here decoded values and codes are compared with one another once more.
      const decoded = await valuesOf({ ...asked, setting, layout: 'dequantized-f32' })
      expect(decoded.some((value) => value !== 0)).toBe(true)
      for (const layout of layoutsOf(asked)) {
        const found = await valuesOf({ ...asked, setting, layout })
        if (layout === 'dequantized-bf16') expect(found).toEqual(decoded.map(toBf16))
        else expect(new Uint32Array(found.buffer)).toEqual(new Uint32Array(decoded.buffer))
      }
    },
  )

  test.each(choices.filter(({ refusal }) => refusal !== null))(
    '$layout is refused: $refusal',
    async ({ layout, refusal }) => {
      await expect(exported({ setting, layout })).rejects.toThrow(refusal ?? '')
    },
  )
})

/** Half to even on the upper sixteen bits. */
function toBf16(value: number): number {
  const [word] = new Uint32Array(Float32Array.of(value).buffer)
  const rounded = (word + 0x7fff + ((word >>> 16) & 1)) & 0xffff0000
  return new Float32Array(Uint32Array.of(rounded).buffer)[0]
}

test('every layout has a format, and what it refuses names what it has', () => {
  const refusals = (text: string) =>
    layoutChoices(quantizersOf(parseSetting(text), STANDARD_MX).weight, { name: 'w', cols: 64 }).map(
      (each) => each.refusal,
    )
  expect(refusals('mxfp4/16')).toEqual([null, null, null, null])
  expect(refusals('nvfp4/16')).toEqual([
    null,
    null,
    null,
    'tensor "w": layout blocks-scales: expected MXFP4, found NVFP4.',
  ])
  expect(refusals('16/mxfp4').slice(2)).toEqual(
    ['compressed-tensors', 'blocks-scales'].map(
      (layout) => `tensor "w": layout ${layout}: expected a weight format, found weights as loaded.`,
    ),
  )
  for (const layout of EXPORT_LAYOUTS) {
    const index = EXPORT_LAYOUTS.indexOf(layout)
    expect(FORMATS.some(({ id }) => refusals(`${id}/16`)[index] === null)).toBe(true)
  }
})

test.each([
  ['exact', 0.75],
  ['literal', 0.75],
  ['exact', 0.62],
] as const)('a pre-scale (%s, %f) is in the file: read back with it, warned about without', async (variant, factor) => {
  const asked: Asked = { method: 'gptq', mx: { preScale: { factor, variant } } }
  const plain = await valuesOf({ ...asked, layout: 'dequantized-f32' })
  for (const layout of ['compressed-tensors', 'blocks-scales'] as const) {
    const { file, warnings } = await exported({ ...asked, layout })
    const { values, metadata } = await opened(file)
    expect(new Uint32Array((await values(NAME)).data.buffer)).toEqual(new Uint32Array(plain.buffer))
    expect(metadata[`mxscope.pre_scale.${NAME}`]).toBe(`${factor} ${variant}`)
    expect(warnings.join(' ')).toMatch(/pre-scale .* a loader that does not know/)
  }
})

test('what runs online is beside the weight, and rebuilds the output together with it', async () => {
  const asked: Asked = { setting: 'mxfp4/16', method: 'flatquant+low-rank', options: { ...QUICK, rank: 4 } }
  const { file, tensors, warnings } = await exported(asked)
  const { values, metadata } = await opened(file)
  const described = JSON.parse(metadata[`mxscope.online.${NAME}`]) as (ReadStep['facts'] & {
    kind: string
    tensors: Record<string, string>
  })[]
  expect(described.map(({ kind }) => kind)).toEqual(['scale', 'kronecker'])
  const steps = await Promise.all(
    described.map(async ({ kind, tensors: names, ...facts }): Promise<ReadStep> => {
      const read = async ([name, of]: [string, string]) => {
        const { tensor, data } = await values(of)
        return [name, { shape: tensor.shape, data }] as const
      }
      return { kind, facts, tensors: Object.fromEntries(await Promise.all(Object.entries(names).map(read))) }
    }),
  )
  const a = (await values(`${OWN}low_rank_a`)).data
  const b = (await values(`${OWN}low_rank_b`)).data
  const w = (await values(NAME)).data
  const product = (row: Float64Array, matrix: Float32Array) =>
    Float64Array.from({ length: matrix.length / row.length }, (_, out) =>
      row.reduce((sum, x, k) => sum + x * matrix[out * row.length + k], 0),
    )
  let [error, energy, withoutBranch] = [0, 0, 0]
  for (let token = 0; token < 40; token++) {
    const x = Float64Array.from(calibrationMatrix.data.subarray(token * COLS, (token + 1) * COLS))
    const changed = steps.reduce(applyStep, x)
    const main = product(changed, w)
    const branch = product(product(changed, a), b)
    product(x, weightMatrix.data).forEach((y, out) => {
      error += (main[out] + branch[out] - y) ** 2
      withoutBranch += (main[out] - y) ** 2
      energy += y * y
    })
  }
  // MXFP4 weights alone err by about a tenth.
  expect(Math.sqrt(error / energy)).toBeLessThan(0.12)
  expect(error).toBeLessThan(withoutBranch)
  expect(warnings).toHaveLength(2)
  expect(warnings[0]).toMatch(/activations go through scale, kronecker before the product .* its output is wrong/)
  expect(warnings[1]).toMatch(/low-rank branch/)
  expect(metadata[`mxscope.formula.${NAME}`]).toBe(
    `X' = X through the steps of mxscope.online.${NAME}; Q = X'; Y = Q W^T + (X' A^T) B^T with A = ${OWN}low_rank_a, ` +
      `B = ${OWN}low_rank_b; W = ${NAME}`,
  )
  expect(tensors.filter(({ role }) => role === 'weight').map(({ name }) => name)).toEqual([
    `${NAME}_packed`,
    `${NAME}_scale`,
  ])
})

test('the metadata says what would reproduce it, and the config is that of the module alone', async () => {
  const { file, config, warnings } = await exported({ setting: 'W4A8', method: 'quarot' })
  const { metadata } = await opened(file)
  expect(metadata['mxscope.version']).toBe(VERSION)
  expect(metadata['mxscope.adapter']).toBe(t.gpu.adapter.description)
  expect(JSON.parse(metadata[`mxscope.export.${NAME}`])).toEqual({
    method: 'quarot',
    options: { matrix: 'hadamard', span: 'full', signs: 'on' },
    seed: 5,
    setting: 'W4A8',
    weightFormat: 'mxfp4',
    activationFormat: 'mxfp8_e4m3',
    outputFormat: null,
    ...STANDARD_MX,
    headDim: null,
    layout: 'compressed-tensors',
  })
  const { quantization_config: fragment } = JSON.parse(config ?? '') as {
    quantization_config: { format: string; config_groups: { group_0: { targets: string[] } } }
  }
  expect(fragment.format).toBe('mxfp4-pack-quantized')
  expect(fragment.config_groups.group_0.targets).toEqual(['model.layers.0.mlp.up_proj'])
  expect(warnings.join('\n')).toMatch(/rounds activations to MXFP8 E4M3 when the layer runs/)
  expect((await exported({ layout: 'dequantized-f32' })).config).toBeNull()
})

test('a weight stored as [in, out] is decoded as it was stored, and packed as [out, in] with a warning', async () => {
  const decoded = await exported({ layout: 'dequantized-f32' }, { turned: true })
  expect((await (await opened(decoded.file)).values(NAME)).tensor.shape).toEqual([COLS, ROWS])
  expect(decoded.warnings).toEqual([])
  const packed = await exported({}, { turned: true })
  expect((await (await opened(packed.file)).values(NAME)).tensor.shape).toEqual([ROWS, COLS])
  expect(packed.warnings).toEqual([`${NAME}: stored as [in, out] in its file, written as [out, in] here.`])
})

test('BF16 says how many values it rounded, and nothing where all of them fit', async () => {
  expect((await exported({ setting: 'mxfp4/16', layout: 'dequantized-bf16' })).warnings).toEqual([])
  const { warnings } = await exported({ setting: 'int4/16', layout: 'dequantized-bf16' })
  expect(warnings[0]).toMatch(
    /: \d+ of 3072 decoded values are no BF16 numbers and were rounded half to even, by at most 0\.\d+ %\./,
  )
})

test('codes are multiplied with the calibration rows, branch included; decoded layouts and weights without rows have none', async () => {
  const tried = async (asked: Asked, changes: Partial<ExportSubject> = {}) => {
    const { notes, errors } = await exported(asked, changes)
    const [note] = notes.filter((each) => each.includes('the codes as written'))
    return { note, sqnr: errors.calibration?.outputSqnrDb.toFixed(2) }
  }
  const branch = { method: 'low-rank', options: { rank: 4 }, setting: 'mxfp4/mxfp4' }
  for (const asked of [{}, branch]) {
    const { note, sqnr } = await tried(asked)
    expect(note).toContain(`give an output SQNR of ${sqnr} dB, as the weight does.`)
  }
  expect((await tried({ layout: 'dequantized-f32' })).note).toBeUndefined()
  expect((await tried({}, { calibration: null })).note).toBeUndefined()
})

test('without calibration rows a weight is rounded to nearest, and other methods are refused', async () => {
  const [alone, fitted] = [await exported({}, { calibration: null }), await exported({})]
  expect(alone.file).toEqual(fitted.file)
  await expect(exported({ method: 'gptq' }, { calibration: null })).rejects.toThrow(
    `gptq: expected calibration rows for "${NAME}", found none.`,
  )
})

test('a file that reads back to anything else is refused with how much differs', async () => {
  const { file } = await exported({})
  const expected = (await (await opened(file)).values(NAME)).data
  await checkReadBack(file, NAME, expected)
  const changed = file.slice()
  changed[changed.length - 1] ^= 1
  await expect(checkReadBack(changed, NAME, expected)).rejects.toThrow(
    /EX-01|expected the quantized weight when read back, found \d+ of 3072 elements different; the first is element \d+/,
  )
  await expect(checkReadBack(file, 'other', expected)).rejects.toMatchObject({ code: 'EX-01' })
  await expect(checkReadBack(file, NAME, expected.subarray(1))).rejects.toThrow('expected 3071 elements when read back')
})
