/** The golden blocks of the two main formats on the browser's own WebGPU, whose shader compiler is the page's. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Arena } from '../../src/gpu/arena'
import { type Gpu, openGpu } from '../../src/gpu/device'
import { dequantize } from '../../src/gpu/kernels/dequantize'
import { fakeQuantize } from '../../src/gpu/kernels/fake-quantize'
import { quantize } from '../../src/gpu/kernels/quantize'
import { Recorder } from '../../src/gpu/recorder'
import { readMatrix, uploadMatrix } from '../../src/gpu/transfer'
import index from '../golden/formats/index.json'
import { dataOf, type GoldenCase, goldenCases, mismatches, onGpu, quantizerOf } from '../support/golden-formats'
import { type GoldenTensor, parseSafetensors } from '../support/safetensors-bytes'

const urls: Record<string, string> = import.meta.glob('../golden/formats/*.safetensors', {
  query: '?url',
  import: 'default',
  eager: true,
})
const cases = onGpu(goldenCases(index).mx)
const files = new Map<string, Map<string, GoldenTensor>>()
let gpu: Gpu

beforeAll(async () => {
  gpu = await openGpu(navigator.gpu)
  for (const [path, url] of Object.entries(urls)) {
    const response = await fetch(url)
    files.set(path.replace(/^.*\//, ''), parseSafetensors(new Uint8Array(await response.arrayBuffer())))
  }
})
afterAll(() => gpu?.pool.trim())

const groups = ['fp4_e2m1', 'fp8_e4m3'].flatMap((format) => {
  const names = new Set(cases.filter((golden) => golden.format === format).map(({ file }) => file))
  return [...names].map((file) => ({ format, file }))
})

/** The packed kernels run with the choices a run starts with; compiling them for all takes a software adapter long. */
function isDefault(golden: GoldenCase): boolean {
  return golden.block === 32 && golden.mode === 'even' && golden.scale_rule === 'floor' && golden.prescale === null
}

test.each(groups)('the golden values come back: $format, $file', async ({ format, file }) => {
  const arena = new Arena(gpu)
  gpu.device.pushErrorScope('validation')
  try {
    for (const golden of cases.filter((candidate) => candidate.format === format && candidate.file === file)) {
      const recorder = new Recorder(gpu)
      const quantizer = quantizerOf(golden)
      const data = dataOf(golden, files.get(file) ?? new Map())
      const matrix = uploadMatrix(gpu, arena, data.input, golden.input)
      const direct = fakeQuantize(recorder, arena, matrix, quantizer)
      const packed = isDefault(golden)
        ? dequantize(recorder, arena, quantize(recorder, arena, matrix, quantizer))
        : direct
      recorder.submit()
      const preScaled = golden.prescale !== null
      expect(mismatches((await readMatrix(gpu, direct)).data, data.values, preScaled), golden.id).toEqual([])
      expect(mismatches((await readMatrix(gpu, packed)).data, data.values, preScaled), golden.id).toEqual([])
    }
  } finally {
    arena.release()
  }
  expect((await gpu.device.popErrorScope())?.message).toBeUndefined()
})
