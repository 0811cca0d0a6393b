import { expect, test } from 'vitest'
import { decodeBlock, encodeBlock } from '../../src/formats/codec'
import { decodeElement } from '../../src/formats/codec-element'
import { NAN_SCALE_BYTE, scaleValue } from '../../src/formats/codec-scale'
import {
  dataOf,
  type GoldenCase,
  goldenCases,
  mismatches,
  quantizerOf,
  type RealScaleCase,
  type RealScaleCodes,
  type RealScaleData,
  realScaleData,
  realScaleMismatches,
  realScaleQuantizer,
} from '../support/golden-formats'
import { goldenText } from '../support/gpu'
import { readGolden } from '../support/safetensors'

const { mx, real } = goldenCases(goldenText('formats/index.json'))
const filesOf = (cases: readonly (GoldenCase | RealScaleCase)[]) => [...new Set(cases.map(({ file }) => file))]

function encodeMx(golden: GoldenCase, { input, codes, scales, values }: ReturnType<typeof dataOf>) {
  const quantizer = quantizerOf(golden)
  const found = { codes: codes.slice(), scales: scales.slice(), values: values.slice() }
  let block = 0
  for (let row = 0; row < input.rows; row++) {
    for (let col = 0; col < input.cols; col += golden.block) {
      const at = row * input.cols + col
      const end = row * input.cols + Math.min(col + golden.block, input.cols)
      const encoded = encodeBlock(input.data.subarray(at, end), quantizer)
      if (encoded.scale.kind !== 'e8m0') throw new Error(`expected an E8M0 scale, found ${encoded.scale.kind}`)
      found.values.set(decodeBlock(encoded, quantizer), at)
      // codes of a NaN block mean nothing
      if (encoded.scale.byte !== NAN_SCALE_BYTE) found.codes.set(encoded.codes, at)
      found.scales[block] = encoded.scale.byte
      block += 1
    }
  }
  expect(block, golden.id).toBe(scales.length)
  return found
}

test.each(filesOf(mx))('encodes and decodes the golden blocks of %s', (file) => {
  const tensors = readGolden(`formats/${file}`)
  for (const golden of mx.filter((candidate) => candidate.file === file)) {
    const data = dataOf(golden, tensors)
    const found = encodeMx(golden, data)
    expect(found.scales, golden.id).toEqual(data.scales)
    expect(mismatches(found.values, data.values, golden.prescale !== null), golden.id).toEqual([])
    const signBit = 2 ** (quantizerOf(golden).format.element.bits - 1)
    const unsigned = (code: number) => (code === signBit ? 0 : code)
    expect(found.codes.map(unsigned), golden.id).toEqual(data.codes.map(unsigned))
  }
})

function encodeReal(golden: RealScaleCase, data: RealScaleData): RealScaleCodes {
  const quantizer = realScaleQuantizer(golden)
  const { rows, cols, data: x } = data.input
  const found = {
    codes: new Int16Array(x.length),
    scales: new Float32Array(data.scales.length),
    zeros: new Int16Array(data.scales.length),
    values: new Float32Array(x.length),
  }
  const tensorMax = x.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0)
  let block = 0
  for (let row = 0; row < rows; row++) {
    const all = x.subarray(row * cols, (row + 1) * cols)
    for (let col = 0; col < cols; col += data.blockSize) {
      const encoded = encodeBlock(all.subarray(col, col + data.blockSize), quantizer, { tensorMax, row: all })
      const { scale, codes } = encoded
      const at = row * cols + col
      const isSigned = quantizer.family === 'integer' && quantizer.scheme !== 'asym'
      found.codes.set(isSigned ? Array.from(codes, (code) => decodeElement(quantizer.format.element, code)) : codes, at)
      found.values.set(decodeBlock(encoded, quantizer), at)
      found.scales[block] = scale.kind === 'e4m3' ? scale.byte : scaleValue(scale)
      found.zeros[block] = scale.kind === 'fp32' ? (scale.zeroPoint ?? 0) : 0
      if (scale.kind === 'e4m3') expect(scale.tensorScale, golden.id).toBe(data.tensorScale)
      block += 1
    }
  }
  expect(block, golden.id).toBe(data.scales.length)
  return found
}

// the recorded answers are those of an exact model, so the definition needs none of the latitude kernels have
test.each(filesOf(real))('encodes and decodes the golden blocks under real-valued scales of %s', (file) => {
  const tensors = readGolden(`formats/${file}`)
  const cases = real.filter((candidate) => candidate.file === file)
  expect(cases.length).toBeGreaterThan(0)
  for (const golden of cases) {
    const data = realScaleData(golden, tensors)
    const found = encodeReal(golden, data)
    expect(realScaleMismatches(golden, found, data, true), golden.id).toEqual([])
  }
})
