import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { InputError } from '../../../src/core/errors'
import { bf16 } from '../../../src/formats/bf16'
import { int4 } from '../../../src/formats/int4'
import { mxfp4 } from '../../../src/formats/mxfp4'
import { mxfp6E2m3 } from '../../../src/formats/mxfp6-e2m3'
import { mxfp8E4m3 } from '../../../src/formats/mxfp8-e4m3'
import type { IntegerQuantizer, MxFormat, Quantizer } from '../../../src/formats/number-format'
import { nvfp4 } from '../../../src/formats/nvfp4'
import { makeQuantizer, STANDARD_MX } from '../../../src/formats/quantizer'
import { encodeWeight, type PackedLayout } from '../../../src/io/packing/encode'
import { quantizationConfig } from '../../../src/io/packing/quantization-config'
import type { QuantizedCodes } from '../../../src/io/packing/quantized-codes'
import { readGolden } from '../../support/safetensors'

const mx = (format: MxFormat, changes = {}) => makeQuantizer({ format, options: {} }, { ...STANDARD_MX, ...changes })
const nvfp: Quantizer = { family: 'nvfp', format: nvfp4, fourOverSix: null, tensorScale: true }
const grouped: IntegerQuantizer = { family: 'integer', format: int4, group: 32, scheme: 'sym-half' }

const index = JSON.parse(readFileSync(new URL('../../golden/formats/packing/index.json', import.meta.url), 'utf8')) as {
  files: { file: string; config: { quantization_config: unknown } | null }[]
}

function golden(file: string, name: string): Uint8Array {
  const tensor = readGolden(`formats/packing/${file}.safetensors`).get(name)
  if (!tensor) throw new Error(`${file}: no ${name}`)
  return tensor.bytes
}

const configOf = (file: string) =>
  index.files.find((each) => each.file.includes(`/${file}.`))?.config?.quantization_config

/** Rows of bytes with padding of 0xEE behind each, as the GPU pads them with something. */
function padded(bytes: Uint8Array, rows: number, stride: number): Uint8Array {
  const result = new Uint8Array(rows * stride).fill(0xee)
  const each = bytes.length / rows
  for (let row = 0; row < rows; row++) result.set(bytes.subarray(row * each, (row + 1) * each), row * stride)
  return result
}

const MODULE = 'model.layers.0.self_attn.q_proj'
const WEIGHT = `${MODULE}.weight`

/** Codes [16, 64] as the GPU would leave them. */
function codesOf(quantizer: Quantizer, codes: Uint8Array, scales: Uint8Array, tensorScale = 1): QuantizedCodes {
  const [codeStride, scaleStride] = [codes.length / 16 + 16, scales.length / 16 + 4]
  return {
    ...{ rows: 16, cols: 64, quantizer, tensorScale, codeStride, scaleStride },
    codes: padded(codes, 16, codeStride),
    scales: padded(scales, 16, scaleStride),
  }
}

describe('the bytes are those of the golden files', () => {
  const scope = { targets: ['Linear'], ignore: ['lm_head'] }
  const cases: [string, Quantizer, string][] = [
    ['ct_mxfp4', mx(mxfp4), `${WEIGHT}_packed`],
    ['ct_mxfp8', mx(mxfp8E4m3), WEIGHT],
  ]
  test.each(cases)('%s', (file, quantizer, codesName) => {
    const parts = [golden(file, codesName), golden(file, `${WEIGHT}_scale`)] as const
    const { tensors, metadata, warnings } = encodeWeight(WEIGHT, codesOf(quantizer, ...parts), 'compressed-tensors')
    const stored = readGolden(`formats/packing/${file}.safetensors`)
    expect(tensors.map(({ name }) => name)).toEqual([codesName, `${WEIGHT}_scale`])
    for (const { name, dtype, shape, bytes } of tensors) expect(stored.get(name)).toMatchObject({ dtype, shape, bytes })
    expect([metadata, warnings]).toEqual([{}, []])
    expect(quantizationConfig(quantizer, 'compressed-tensors', scope)).toEqual(configOf(file))
  })

  test('ct_nvfp4, its scale of the tensor named exactly', () => {
    const stored = readGolden('formats/packing/ct_nvfp4.safetensors')
    const divisor = stored.get(`${WEIGHT}_global_scale`)?.floats()[0] ?? 0
    const tensorScale = Math.fround(1 / divisor)
    const parts = [golden('ct_nvfp4', `${WEIGHT}_packed`), golden('ct_nvfp4', `${WEIGHT}_scale`)] as const
    const written = encodeWeight(WEIGHT, codesOf(nvfp, ...parts, tensorScale), 'compressed-tensors')
    for (const { name, dtype, shape, bytes } of written.tensors) {
      if (!name.endsWith('global_scale')) expect(stored.get(name)).toMatchObject({ dtype, shape, bytes })
    }
    const [bits] = new Uint32Array(Float32Array.of(tensorScale).buffer)
    expect(written.metadata).toEqual({ [`mxscope.tensor_scale.${WEIGHT}`]: `0x${bits.toString(16).toUpperCase()}` })
    expect(written.warnings).toHaveLength(1)
    expect(quantizationConfig(nvfp, 'compressed-tensors', scope)).toEqual(configOf('ct_nvfp4'))
  })

  test('a scale of the tensor that is a power of two needs no metadata', () => {
    const written = encodeWeight(
      'w',
      codesOf(nvfp, new Uint8Array(512), new Uint8Array(64), 0.25),
      'compressed-tensors',
    )
    expect([written.metadata, written.warnings]).toEqual([{}, []])
    expect(new Float32Array(written.tensors[2].bytes.slice().buffer)[0]).toBe(4)
  })

  test('ct_int4, its scales widened to F32', () => {
    const stored = readGolden('formats/packing/ct_int4.safetensors')
    const scales = stored.get(`${WEIGHT}_scale`)?.floats() ?? new Float32Array()
    // Two's complement, as the GPU has it: each nibble less by 8.
    const codes = golden('ct_int4', `${WEIGHT}_packed`).map((byte) => byte ^ 0x88)
    const { tensors } = encodeWeight(
      WEIGHT,
      codesOf(grouped, codes, new Uint8Array(scales.buffer)),
      'compressed-tensors',
    )
    for (const { name, dtype, shape, bytes } of tensors) {
      if (!name.endsWith('scale')) expect(stored.get(name)).toMatchObject({ dtype, shape, bytes })
      else expect([dtype, shape, new Float32Array(bytes.slice().buffer)]).toEqual(['F32', [16, 2], scales])
    }
    expect(quantizationConfig(grouped, 'compressed-tensors', scope)).toEqual(configOf('ct_int4'))
  })

  test('gpt-oss blocks', () => {
    const name = 'block.0.mlp.mlp1_weight'
    const [blocks, scales] = [golden('gpt_oss', `${name}.blocks`), golden('gpt_oss', `${name}.scales`)]
    const codes = { ...codesOf(mx(mxfp4), blocks, scales), rows: 12 }
    const strides = { codeStride: 48, codes: padded(blocks, 12, 48), scaleStride: 4, scales: padded(scales, 12, 4) }
    const { tensors } = encodeWeight(name, { ...codes, ...strides }, 'blocks-scales')
    expect(tensors).toEqual([
      { name: `${name}_blocks`, dtype: 'U8', shape: [12, 2, 16], bytes: blocks },
      { name: `${name}_scales`, dtype: 'U8', shape: [12, 2], bytes: scales },
    ])
    expect(quantizationConfig(mx(mxfp4), 'blocks-scales', scope)).toEqual(configOf('gpt_oss'))
  })
})

test('a config per row, or with zero points, says so', () => {
  const config = (quantizer: Quantizer) => {
    return quantizationConfig(quantizer, 'compressed-tensors', { targets: ['re:.*q_proj'], ignore: [] })
  }
  expect(config({ ...grouped, group: 'row', scheme: 'asym' })).toMatchObject({
    config_groups: {
      group_0: {
        targets: ['re:.*q_proj'],
        weights: { num_bits: 4, type: 'int', symmetric: false, dynamic: false, strategy: 'channel' },
      },
    },
  })
})

describe('what a layout has no place for is refused', () => {
  const cases: [Quantizer, PackedLayout, number, string][] = [
    [
      mx(mxfp4, { blockSize: 16 }),
      'blocks-scales',
      64,
      'layout blocks-scales: expected E8M0 scales for blocks of 32, found blocks of 16.',
    ],
    [mx(mxfp4, { scaleRule: 'fp32' }), 'compressed-tensors', 64, 'blocks of 32, found fp32 scales.'],
    [mx(mxfp8E4m3), 'blocks-scales', 64, 'layout blocks-scales: expected MXFP4, found MXFP8 E4M3.'],
    [mx(mxfp6E2m3), 'compressed-tensors', 64, 'expected MXFP4 or MXFP8 E4M3 among MX formats, found MXFP6 E2M3.'],
    [nvfp, 'blocks-scales', 64, 'layout blocks-scales: expected MXFP4, found NVFP4.'],
    [{ family: 'sixteen-bit', format: bf16 }, 'compressed-tensors', 64, 'INT4 or INT8, found BF16.'],
    [mx(mxfp4), 'compressed-tensors', 40, 'expected a multiple of 32 columns, found 40.'],
    [nvfp, 'compressed-tensors', 24, 'expected a multiple of 16 columns, found 24.'],
    [grouped, 'compressed-tensors', 40, 'expected a multiple of 32 columns, found 40.'],
    [{ ...grouped, group: 'row' }, 'compressed-tensors', 36, 'expected a multiple of 8 columns, found 36.'],
  ]
  test.each(cases)('%o in %s, %i columns', (quantizer, layout, cols, message) => {
    const codes = { ...codesOf(quantizer, new Uint8Array(1024), new Uint8Array(256)), cols }
    expect(() => encodeWeight('w', codes, layout)).toThrow(
      expect.objectContaining({ code: 'PK-06', message: expect.stringContaining(message) }),
    )
  })

  test.each([Number.NaN, 2 ** -140, Infinity])('a scale of the tensor of %s', (tensorScale) => {
    const codes = codesOf(nvfp, new Uint8Array(512), new Uint8Array(64), tensorScale)
    const message = 'tensor "w": scale of the tensor: expected a number with an inverse in f32, found'
    expect(() => encodeWeight('w', codes, 'compressed-tensors')).toThrow(message)
  })

  test('a config for a format without a scheme', () => {
    const make = () => quantizationConfig(mx(mxfp6E2m3), 'compressed-tensors', { targets: [], ignore: [] })
    expect(make).toThrow(InputError)
    expect(make).toThrow(
      'compressed-tensors config: expected MXFP4, MXFP8 E4M3, NVFP4, INT4 or INT8, found MXFP6 E2M3.',
    )
  })
})
