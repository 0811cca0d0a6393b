import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { logicalTensors } from '../../../src/io/packing/recognise'
import { readHeader } from '../../../src/io/read-header'
import { readRows } from '../../../src/io/read-values'
import type { TensorView } from '../../../src/io/tensor-view'
import { comparableBits } from '../../support/golden-formats'
import { readGolden } from '../../support/safetensors'
import { recordingSource } from '../recording-source'

/** A tiny checkpoint of test/golden/formats/packing and the names of what it stands for. */
interface GoldenFile {
  readonly file: string
  readonly config: { readonly quantization_config: unknown } | null
  readonly logical: Readonly<Record<string, string>>
}

const folder = new URL('../../golden/formats/packing/', import.meta.url)
const index = JSON.parse(readFileSync(new URL('index.json', folder), 'utf8')) as { files: GoldenFile[] }
const expected = readGolden('formats/packing/expected.safetensors')

const rowsOf = ({ shape }: TensorView) => shape.slice(0, -1).reduce((product, axis) => product * axis, 1)

async function open(file: string) {
  const source = recordingSource(readFileSync(new URL(file.replace('packing/', ''), folder)))
  return { source, ...(await readHeader(source)) }
}

describe.each(index.files.map((golden) => [golden.file, golden] as const))('%s', (file, { config, logical }) => {
  const names = Object.keys(logical).filter((name) => !name.endsWith('.unscaled'))

  test.each(names)('%s is one tensor and decodes to the recorded bits', async (name) => {
    const { source, tensors, metadata } = await open(file)
    const listed = logicalTensors(tensors, { metadata })
    expect(listed.refusals).toEqual([])
    const view = listed.tensors.find((tensor) => tensor.name === name)
    const golden = expected.get(logical[name])
    if (!view || !golden) throw new Error(`no ${name}`)
    expect(view.shape).toEqual(golden.shape)
    const values = await readRows(() => source, view, { start: 0, end: rowsOf(view) })
    expect(comparableBits(values)).toEqual(comparableBits(golden.floats()))
  })

  test('recognition does not depend on the config', async () => {
    const { tensors, metadata } = await open(file)
    const quantizationConfig = config?.quantization_config
    expect(logicalTensors(tensors, { metadata, quantizationConfig })).toMatchObject({
      ...logicalTensors(tensors, { metadata }),
    })
  })

  test('raw codes decode to the recorded values', async () => {
    const { source, tensors } = await open(file)
    for (const [key, recorded] of Object.entries(logical)) {
      if (!key.endsWith('.unscaled')) continue
      const view = tensors.find((tensor) => tensor.name === key.replace('.unscaled', ''))
      if (!view) throw new Error(`no ${key}`)
      const values = await readRows(() => source, view, { start: 0, end: rowsOf(view) })
      expect(comparableBits(values), key).toEqual(
        comparableBits(expected.get(recorded)?.floats() ?? new Float32Array()),
      )
    }
  })
})

test('every layout of the golden files becomes the type it is', async () => {
  const types: Record<string, string[]> = {}
  for (const { file } of index.files) {
    const { tensors, metadata } = await open(file)
    const listed = logicalTensors(tensors, { metadata }).tensors
    types[file.slice(8, -12)] = listed.map(({ name, dtype }) => `${name.replace(/^.*\.(?=[^.]*$)/, '')} ${dtype}`)
  }
  expect(types).toEqual({
    native_dtypes: ['w_f32 F32', 'w_bf16 BF16', 'w_f16 F16', 'w_f4 MXFP4', 'w_e4m3 MXFP8', 'w_e5m2 MXFP8'],
    all_codes: ['e4m3 F8_E4M3', 'e5m2 F8_E5M2', 'e8m0 F8_E8M0', 'f4 F4'],
    gpt_oss: ['gate_up_proj_bias BF16', 'gate_up_proj MXFP4', 'mlp1_weight MXFP4'],
    ct_mxfp4: ['weight MXFP4'],
    ct_mxfp8: ['weight MXFP8'],
    ct_nvfp4: ['weight NVFP4'],
    modelopt_nvfp4: ['input_scale F32', 'weight NVFP4'],
    ct_fp8_channel: ['weight FP8'],
    ct_int4: ['weight INT4'],
    fpquant_mxfp4: ['weight MXFP4'],
  })
})

test('any run of rows is the same rows of the whole', async () => {
  for (const { file } of index.files) {
    const { source, tensors, metadata } = await open(file)
    for (const view of logicalTensors(tensors, { metadata }).tensors.filter(({ shape }) => shape.length > 1)) {
      const rows = rowsOf(view)
      const cols = view.shape[view.shape.length - 1]
      const all = await readRows(() => source, view, { start: 0, end: rows })
      for (const [start, end] of [
        [1, 2],
        [3, rows],
        [0, rows - 1],
      ].filter(([a, b]) => a < b)) {
        const part = await readRows(() => source, view, { start, end })
        expect(comparableBits(part), view.name).toEqual(comparableBits(all.slice(start * cols, end * cols)))
      }
    }
  }
})
