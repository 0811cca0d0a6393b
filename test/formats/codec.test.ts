import { expect, test } from 'vitest'
import { decodeBlock, type EncodedBlock, encodeBlock } from '../../src/formats/codec'
import { decodeElement } from '../../src/formats/codec-element'
import {
  decodeScale,
  type Surroundings,
  scaleCandidates,
  scaleValue,
  tensorScaleOf,
} from '../../src/formats/codec-scale'
import { chooseFormat, parseFormat } from '../../src/formats/format-text'
import type { MxQuantizer, NvfpQuantizer, Quantizer } from '../../src/formats/number-format'
import { nvfp4 } from '../../src/formats/nvfp4'
import { makeQuantizer, STANDARD_MX } from '../../src/formats/quantizer'
import { FORMATS } from '../../src/formats/registry'
import { oracleQuantize, oracleTensorScale } from '../oracle/codec'
import { oracleBlock } from '../oracle/mx'
import {
  MX_FORMATS,
  MX_QUANTIZERS,
  OTHER_QUANTIZERS,
  quantizerName,
  sharingOf,
  standardMx,
} from '../support/every-quantizer'
import { mismatches } from '../support/golden-formats'
import { parseFloats } from '../support/safetensors-bytes'

/** Bits of consecutive f32 words from a seeded multiplicative generator: every exponent, NaN and infinity among them. */
function randomWords(count: number, seed: number): Uint32Array {
  let state = seed
  return Uint32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return (state ^ (state >>> 13)) >>> 0
  })
}

const asFloats = (words: Uint32Array) => new Float32Array(words.buffer)

/** Numbers within a few binades of each other around 2^centre, so that blocks use most of their codes. */
function spreadAround(centre: number, count: number, seed: number): Float32Array {
  return Float32Array.from(randomWords(count, seed), (word) => {
    const magnitude = (1 + (word & 0xffff) / 0x10000) * 2 ** (centre - ((word >>> 16) % 7))
    return word >>> 31 ? -magnitude : magnitude
  })
}

function qOf({ codes, scale }: EncodedBlock, quantizer: Quantizer): number[] {
  const { element } = quantizer.format
  if (scale.kind === 'fp32' && scale.zeroPoint !== null) return [...codes]
  const signBit = 2 ** (element.bits - 1)
  const twosComplement = element.kind !== 'float'
  const signed = (code: number) => (code < signBit ? code : twosComplement ? code - 2 * signBit : signBit - code)
  return Array.from(codes, (code) => signed(code) + 0)
}

/** Encodes `values` block by block as one row of a tensor of that row, beside what the oracle says of each block. */
function expectAsOracle(values: Float32Array, quantizer: Quantizer, surroundings: Surroundings = {}): void {
  const tensorMax = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0)
  const around = { tensorMax, row: values, ...surroundings }
  const size = sharingOf(quantizer, values.length)
  for (let start = 0; start < values.length; start += size) {
    const block = values.subarray(start, start + size)
    const expected = oracleQuantize([...block], quantizer, {
      tensorMax: around.tensorMax,
      row: Array.from(around.row),
    })
    const found = encodeBlock(block, quantizer, around)
    const name = `block ${start}, ${block[0]} …`
    expect(mismatches(decodeBlock(found, quantizer), Float32Array.from(expected.values)), name).toEqual([])
    if (quantizer.family === 'sixteen-bit') continue
    const scale =
      found.scale.kind === 'e4m3' ? decodeElement(MX_FORMATS[0].element, found.scale.byte) : scaleValue(found.scale)
    expect(scale, name).toBe(expected.scale)
    if (!Number.isNaN(scale))
      expect(
        qOf(found, quantizer).map((q) => q + 0),
        name,
      ).toEqual(expected.codes.map((q) => q + 0))
  }
}

/** The same for power-of-two scales without pre-scale, where float64 is exact and brute force so much faster. */
function expectAsFastOracle(values: Float32Array, quantizer: MxQuantizer): void {
  const { format, rounding, blockSize } = quantizer
  for (let start = 0; start < values.length; start += blockSize) {
    const block = values.subarray(start, start + blockSize)
    const expected = oracleBlock(format.id, block, 'floor', rounding, null)
    expect(mismatches(decodeBlock(encodeBlock(block, quantizer), quantizer), expected), `block of ${block[0]}`).toEqual(
      [],
    )
  }
}

const SIXTEEN_BITS = Uint16Array.from({ length: 2 ** 16 }, (_, code) => code)

test.each(['BF16', 'FP16'])('every code of %s decodes to its value', (label) => {
  const { element } = parseFormat(label.toLowerCase()).format
  if (element.kind !== 'float') throw new Error('expected a float element')
  const values = parseFloats(label.replace('FP', 'F'), new Uint8Array(SIXTEEN_BITS.buffer))
  const found = Float32Array.from(SIXTEEN_BITS, (code) => decodeElement(element, code))
  expect(mismatches(found, values)).toEqual([])
  expect(decodeElement(element, element.maxCode)).toBe(element.maxFinite)
})

test('scale bytes are powers of two from 2^-127 to 2^127, then NaN', () => {
  expect([0, 1, 127, 254, 255].map(decodeScale)).toEqual([2 ** -127, 2 ** -126, 1, 2 ** 127, Number.NaN])
})

test.each(MX_FORMATS)('every exponent with every tie and its neighbours, all roundings: $id', (format) => {
  const bits = format.element.kind === 'fixed' ? format.element.fractionBits : format.element.mantissaBits
  const ties = Array.from({ length: 2 ** bits }, (_, i) => (2 * i + 1) << (22 - bits))
  const mantissas = [0, 1, 0x7fffff, ...ties.flatMap((tie) => [tie - 1, tie, tie + 1])]
  const words = mantissas.flatMap((mantissa) => [mantissa, mantissa + 2 ** 31])
  for (const rounding of ['half-even', 'half-away', 'toward-zero'] as const) {
    const quantizer = { ...standardMx(format), rounding }
    for (let exponent = 0; exponent < 255; exponent++) {
      // alone, and under a block maximum some binades up
      for (const top of [0, 1 + (exponent % 20)]) {
        const largest = Math.min(exponent + top, 254) * 2 ** 23
        const values = asFloats(Uint32Array.from([...words.map((word) => word + exponent * 2 ** 23), largest]))
        const expected = oracleBlock(format.id, values, 'floor', rounding, null)
        const found = decodeBlock(encodeBlock(values, quantizer), quantizer)
        expect(mismatches(found, expected), `${rounding} 2^${exponent - 127}, maximum ${top} binades up`).toEqual([])
      }
    }
  }
})

const defaults = FORMATS.map((format) => makeQuantizer(chooseFormat(format), STANDARD_MX))

test.each(defaults)('all 65,536 BF16 and FP16 inputs, finite and not: $format.id', (quantizer) => {
  for (const dtype of ['BF16', 'F16']) {
    const inputs = parseFloats(dtype, new Uint8Array(SIXTEEN_BITS.buffer))
    for (let start = 0; start < inputs.length; start += 256) {
      const row = inputs.subarray(start, start + 256)
      if (quantizer.family !== 'mx') expectAsOracle(row, quantizer)
      else expectAsFastOracle(row, quantizer)
    }
  }
})

test.each(MX_QUANTIZERS.map((quantizer) => ({ name: quantizerName(quantizer), quantizer })))(
  'random bits, spread numbers, extremes and a short last block: $name',
  ({ quantizer }) => {
    const length = quantizer.blockSize + 13
    expectAsOracle(asFloats(randomWords(length, 7)), quantizer)
    for (const centre of [127, 3, 0, -60, -122, -125, -139]) {
      expectAsOracle(spreadAround(centre, length, 1000 + centre), quantizer)
    }
    expectAsOracle(new Float32Array(length), quantizer)
  },
)

test.each(OTHER_QUANTIZERS.map((quantizer) => ({ name: quantizerName(quantizer), quantizer })))(
  'random bits, spread numbers, extremes and a short last block: $name',
  ({ quantizer }) => {
    const length = sharingOf(quantizer, 40) * 2 + 13
    for (const seed of [7, 8, 9]) expectAsOracle(asFloats(randomWords(length, seed)), quantizer)
    for (const centre of [127, 64, 9, 3, 0, -7, -60, -110, -122, -125, -139, -148]) {
      const values = spreadAround(centre, length, 1000 + centre)
      expectAsOracle(values, quantizer)
      expectAsOracle(values.map(Math.abs), quantizer)
      // one large element elsewhere in the tensor: small block scales, 0 among them
      expectAsOracle(values, quantizer, { tensorMax: Math.min(2 ** (centre + 11), 2 ** 127) })
    }
    expectAsOracle(new Float32Array(length), quantizer)
  },
)

const NVFP: NvfpQuantizer = { family: 'nvfp', format: nvfp4, fourOverSix: null, tensorScale: true }

test('the tensor scale of NVFP4 is rounded once, at every magnitude', () => {
  const magnitudes = asFloats(randomWords(4000, 21).map((word) => word & 0x7fffffff)).filter(Number.isFinite)
  for (const quantizer of [NVFP, { ...NVFP, fourOverSix: 'mse' as const }]) {
    const found = [...magnitudes].map((tensorMax) => tensorScaleOf(tensorMax, quantizer))
    expect(found).toEqual([...magnitudes].map((tensorMax) => oracleTensorScale(tensorMax, quantizer)))
  }
})

test('a NaN or an infinity in a tensor leaves NVFP4 no scale; without a tensor scale it spoils its block only', () => {
  const block = [1, -2, 3]
  const spoilt = { tensorMax: Number.NaN }
  expect([...decodeBlock(encodeBlock(block, NVFP, spoilt), NVFP)]).toEqual([Number.NaN, Number.NaN, Number.NaN])
  const alone = { ...NVFP, tensorScale: false }
  expect([...decodeBlock(encodeBlock(block, alone, spoilt), alone)]).toEqual(block)
  expect([...decodeBlock(encodeBlock([1, Infinity], alone), alone)]).toEqual([Number.NaN, Number.NaN])
})

test('what a scale needs from around its block is asked for', () => {
  const perRow = makeQuantizer(parseFormat('int8'), STANDARD_MX)
  expect(() => encodeBlock([1], NVFP)).toThrow('NVFP4: tensorMax is needed for the tensor scale')
  expect(() => encodeBlock([1], perRow)).toThrow('int8: the row is needed for a scale per row')
})

test('the zero point stays among the codes where a subnormal scale is too coarse', () => {
  const asym = makeQuantizer(parseFormat('int4(group=32,scheme=asym)'), STANDARD_MX)
  const unit = 2 ** -149
  const encoded = encodeBlock([-22 * unit, 0], asym)
  expect(encoded).toEqual({ scale: { kind: 'fp32', value: unit, zeroPoint: 15 }, codes: Uint16Array.of(0, 15) })
  expect([...decodeBlock(encoded, asym)]).toEqual([-15 * unit, 0])
})

test('16-bit floats saturate, and keep infinity and NaN', () => {
  const [bf16, fp16] = ['bf16', 'fp16'].map((id) => makeQuantizer(parseFormat(id), STANDARD_MX))
  const values = [3.4028235e38, -65520, Infinity, -Infinity, Number.NaN, -0]
  expect([...encodeBlock(values, bf16).codes]).toEqual([0x7f7f, 0xc780, 0x7f80, 0xff80, 0x7fc0, 0x8000])
  expect([...encodeBlock(values, fp16).codes]).toEqual([0x7bff, 0xfbff, 0x7c00, 0xfc00, 0x7e00, 0x8000])
})

test('best and four-over-six try two scales, every other choice one', () => {
  const counts = [...MX_QUANTIZERS, ...OTHER_QUANTIZERS].map((quantizer) => {
    const two =
      quantizer.family === 'mx' ? quantizer.scaleRule === 'best' : quantizer.family === 'nvfp' && quantizer.fourOverSix
    const found = scaleCandidates([1, 2], quantizer, { tensorMax: 2, row: [1, 2] }).length
    return [found, two ? 2 : 1]
  })
  expect(counts.map(([found]) => found)).toEqual(counts.map(([, expected]) => expected))
})

test('of two equally good scales the first is kept', () => {
  const best = MX_QUANTIZERS.find(({ format, scaleRule }) => format.id === 'mxfp4' && scaleRule === 'best')
  if (!best) throw new Error('no quantizer with the rule best')
  // 4 and 6 are exact under both exponents
  expect(encodeBlock([4, 6], best).scale).toEqual({ kind: 'e8m0', byte: 127 })
  // 7 is nearer to 8 than to 6 only under the second
  expect(encodeBlock([7.5, 6], best).scale).toEqual({ kind: 'e8m0', byte: 128 })
})

test('a pre-scale is the float64 number it is: 0.6 lies below six tenths', () => {
  const [even, truncated] = (['half-even', 'toward-zero'] as const).map((rounding) =>
    makeQuantizer(parseFormat('mxfp4'), { ...STANDARD_MX, rounding, preScale: { factor: 0.6, variant: 'exact' } }),
  )
  // in float64 1.25 · 0.6 is the tie 0.75 and 2.5 · 0.6 is the code 1.5; both are below by 2^-55
  expect([...encodeBlock([7, 1.25], even).codes]).toEqual([6, 1])
  expect([...encodeBlock([7, 2.5], truncated).codes]).toEqual([6, 2])
})
