import { expect, test } from 'vitest'
import { clipBlocks } from '../../src/gpu/kernels/clip-blocks'
import { clipRows } from '../../src/gpu/kernels/clip-rows'
import { readMatrix, uploadMatrix, uploadWords } from '../../src/gpu/transfer'
import type { Clip } from '../../src/methods/method'
import { clipActivations } from '../../src/methods/rounding/clip-activations'
import { gpuFixture } from '../support/gpu'
import { gaussian } from '../support/matrices'

const t = gpuFixture()

test('activations are cut by their rows, then by their blocks, and by nothing without a clip', async () => {
  const { gpu, arena, recorder } = t
  const x = uploadMatrix(gpu, arena, gaussian(5, 70, 3), 'x')
  const floats = (...values: number[]) => uploadWords(gpu, arena, Float32Array.from(values), 'factors')
  const bounds = floats(0.9, 0.8)
  const activationBlocks = { width: 32, per: 'column' as const, factors: floats(0.5, 0.7, 0.6) }
  const none: Clip = { activation: null, weight: null, activationBlocks: null, weightBlocks: null }
  const clipped = (clip: Clip | null) => clipActivations(recorder, arena, x, clip)
  const rows = clipRows(recorder, arena, x, { shared: true, bounds })
  const cases = [
    [clipped({ ...none, activation: bounds, activationBlocks }), clipBlocks(recorder, arena, rows, activationBlocks)],
    [clipped({ ...none, activationBlocks }), clipBlocks(recorder, arena, x, activationBlocks)],
    [clipped({ ...none, activation: bounds }), rows],
    [clipped(none), x],
    [clipped(null), x],
  ]
  recorder.submit()
  for (const [found, expected] of cases) expect(await readMatrix(gpu, found)).toEqual(await readMatrix(gpu, expected))
  const differing = new Set(
    await Promise.all(cases.slice(0, 4).map(async ([m]) => String((await readMatrix(gpu, m)).data))),
  )
  expect(differing.size).toBe(4)
})
