import { expect, test } from 'vitest'
import { fakeQuantize } from '../../src/gpu/kernels/fake-quantize'
import { readMatrix, uploadMatrix } from '../../src/gpu/transfer'
import { dataOf, goldenCases, mismatches, onGpu, quantizerOf } from '../support/golden-formats'
import { goldenText, gpuFixture } from '../support/gpu'
import { readGolden } from '../support/safetensors'

const t = gpuFixture()
const cases = onGpu(goldenCases(goldenText('formats/index.json')).mx)
const files = new Map(cases.map(({ file }) => [file, readGolden(`formats/${file}`)]))
const groups = [...new Set(cases.map(({ file, format }) => `${file} ${format}`))]

function casesOf(group: string) {
  const selected = cases.filter(({ file, format }) => `${file} ${format}` === group)
  return selected.map((golden) => ({ golden, data: dataOf(golden, files.get(golden.file) ?? new Map()) }))
}

test.each(groups)('fake quantization gives the golden values: %s', async (group) => {
  const runs = casesOf(group).map(({ golden, data }) => {
    const matrix = uploadMatrix(t.gpu, t.arena, data.input, golden.input)
    return { golden, data, result: fakeQuantize(t.recorder, t.arena, matrix, quantizerOf(golden)) }
  })
  t.recorder.submit()
  expect(runs.length).toBeGreaterThan(0)
  for (const { golden, data, result } of runs) {
    const found = await readMatrix(t.gpu, result)
    expect(mismatches(found.data, data.values, golden.prescale !== null), golden.id).toEqual([])
  }
})
