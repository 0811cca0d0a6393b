import { expect, test } from 'vitest'
import type { Quantizer } from '../../src/formats/number-format'
import { FORMATS } from '../../src/formats/registry'
import { Arena } from '../../src/gpu/arena'
import type { Gpu } from '../../src/gpu/device'
import type { BlockOwner } from '../../src/gpu/kernel-choices'
import { fakeQuantize } from '../../src/gpu/kernels/fake-quantize'
import { gridFor, takesQuarters } from '../../src/gpu/kernels/grid'
import { quantize } from '../../src/gpu/kernels/quantize'
import { Recorder } from '../../src/gpu/recorder'
import { readWords, uploadWords } from '../../src/gpu/transfer'
import { MX_FORMATS, OTHER_QUANTIZERS, standardMx } from '../support/every-quantizer'
import { gpuFixture, testNavigatorGpu } from '../support/gpu'

const t = gpuFixture()
const adapter = await (await testNavigatorGpu()).requestAdapter()
const isOffered = adapter?.features.has('subgroups') === true
const reason = isOffered ? '' : ' (skipped: the adapter has no subgroups)'

const MX = MX_FORMATS.map(standardMx)

/** One of every library and layout of codes and scales: pipelines are what this file waits for. */
const quantizers: readonly Quantizer[] = [
  ...MX.filter(({ format }) => ['mxfp8_e4m3', 'mxint8'].includes(format.id)),
  ...MX.filter(({ format }) => format.element.bits === 4).flatMap((mxfp4) => [
    mxfp4,
    { ...mxfp4, blockSize: 8, flushSubnormalBlocks: true },
    { ...mxfp4, blockSize: 16, scaleRule: 'even' as const },
    { ...mxfp4, scaleRule: 'fp32' as const },
  ]),
  ...OTHER_QUANTIZERS.filter((quantizer) => {
    if (quantizer.family === 'nvfp') return quantizer.fourOverSix === null
    if (quantizer.family === 'integer') return quantizer.group === (quantizer.scheme === 'asym' ? 32 : 'row')
    return true
  }),
]

/** Random bit patterns block by block: any exponent, ties, zeros, a NaN; the last chunk of a row is short. */
function patterns(rows: number, cols: number): Uint32Array<ArrayBuffer> {
  let state = 2463534242
  const next = () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
  const words = new Uint32Array(rows * Math.ceil(cols / 32) * 32)
  const stride = words.length / rows
  for (let row = 0; row < rows; row++) {
    for (let start = 0; start < cols; start += 8) {
      const top = row < rows / 2 ? 120 + (next() % 8) : next() % 254
      const kind = next() % 8
      for (let col = start; col < Math.min(start + 8, cols); col++) {
        const mantissa = kind < 4 ? next() % 0x800000 : (next() % 16) * 0x80000
        const magnitude = Math.max(top - (next() % 5), 0) * 0x800000 + mantissa
        words[row * stride + col] = kind === 7 ? 0 : (next() % 2) * 0x80000000 + magnitude
      }
    }
  }
  words[(rows - 1) * stride + 1] = 0x7fc00000
  return words
}

/** Every word `quantizer` makes of the patterns when blocks belong to `block`. */
async function wordsBy(block: BlockOwner, quantizer: Quantizer, [rows, cols]: readonly [number, number]) {
  const gpu: Gpu = { ...t.gpu, choices: { ...t.gpu.choices, block } }
  const arena = new Arena(gpu)
  const recorder = new Recorder(gpu)
  expect(takesQuarters(recorder, gridFor(quantizer))).toBe(block === 'subgroup')
  const words = patterns(rows, cols)
  const stride = words.length / rows
  const source = { rows, cols, stride, buffer: uploadWords(gpu, arena, words, 'patterns') }
  const values = fakeQuantize(recorder, arena, source, quantizer)
  const packed = quantize(recorder, arena, source, quantizer)
  recorder.submit()
  const found = {
    values: await readWords(gpu, values.buffer, rows * stride),
    codes: await readWords(gpu, packed.codes, (rows * packed.codeStride) / 4),
    scales: await readWords(gpu, packed.scales, (rows * packed.scaleStride) / 4),
  }
  arena.release()
  return found
}

const families = [...new Set(FORMATS.map(({ family }) => family))]

test.skipIf(!isOffered).each(families)(
  `four invocations of a subgroup give every bit of one: %s${reason}`,
  async (family) => {
    const chosen = quantizers.filter((quantizer) => quantizer.family === family)
    expect(chosen.length).toBeGreaterThan(0)
    for (const quantizer of chosen) {
      // Chunks that fill neither a word of scales nor a workgroup, and a matrix of less than one workgroup.
      for (const shape of [
        [11, 1000],
        [1, 5],
      ] as const) {
        const name = `${quantizer.format.id}, ${JSON.stringify({ ...quantizer, format: undefined })}, ${shape}`
        expect(await wordsBy('subgroup', quantizer, shape), name).toEqual(await wordsBy('thread', quantizer, shape))
      }
    }
  },
)

test('blocks that four invocations cannot share stay with one', () => {
  const recorder = new Recorder({ ...t.gpu, choices: { ...t.gpu.choices, block: 'subgroup' } })
  expect(takesQuarters(recorder, gridFor({ ...MX[0], blockSize: 64 }))).toBe(false)
  expect(takesQuarters(recorder, gridFor({ ...MX[0], scaleRule: 'best' }))).toBe(false)
  expect(takesQuarters(recorder, gridFor(MX[0]))).toBe(true)
})
